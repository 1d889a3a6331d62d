//! Runs the built command as its users do, against mock servers and against servers that misbehave.
//!
//! Start at [`invocation`], which runs it and turns what came out into one snapshot.

mod api;
mod auth;
mod batch;
mod batch_again;
#[cfg(unix)]
mod batch_hostile;
mod batch_killed;
mod batch_outcomes;
mod configuration;
mod contact_sheet;
mod damaged_responses;
mod datasets;
mod depth;
mod dry_run;
mod examples;
mod exit_codes;
#[cfg(unix)]
mod first_hour;
mod formats;
#[cfg(target_os = "linux")]
mod full_disk;
mod help;
mod hostile_arguments;
mod images;
mod interrupt;
mod invocation;
mod jobs;
mod lone_words;
mod mock_run;
mod mock_serve;
mod models;
mod networks;
mod odd_folders;
mod operations;
mod plan;
mod reader;
mod refusals;
mod responses;
mod rogue;
mod scripts;
mod sync;
mod sync_kill;
mod sync_setup;
mod tables;
#[cfg(unix)]
mod terminal;
mod text_inputs;
mod trace;
mod training;
mod upload;
mod usage;
mod verify;
#[cfg(unix)]
mod walk;
