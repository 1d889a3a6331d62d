//! What a command has before it connects.

use crate::{
    options::Options,
    output::Output,
    session::{config::Config, interrupt::Interrupt},
};

/// Global options, configuration and output: everything that a command has before it connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Globals<'a> {
    pub(crate) options: &'a Options,
    pub(crate) config: &'a Config,
    pub(crate) output: &'a Output,
    pub(crate) interrupt: &'a Interrupt,
    /// How many images may be in flight, if the command decides it.
    pub(crate) max_images_in_flight: Option<u32>,
}
