//! Collects the parts of multipart bodies; generated encoders say what goes into them.

use std::fmt::Display;

use serde::Serialize;

use crate::{
    Error, File,
    request::{Part, PartContent},
};

/// A request body that is sent as multipart. Implementations are generated from the document.
pub(crate) trait Multipart {
    fn encode(&self, parts: &mut Parts) -> Result<(), Error>;
}

#[derive(Debug, Default)]
pub(crate) struct Parts {
    parts: Vec<Part>,
}

impl Parts {
    pub(crate) fn file(&mut self, name: &'static str, file: &File) {
        self.parts.push(Part { name: name.into(), content: PartContent::File(file.clone()) });
    }

    #[allow(dead_code, reason = "called by generated code where a multipart body has scalars")]
    pub(crate) fn text(&mut self, name: &'static str, value: &impl Display) {
        self.parts.push(Part { name: name.into(), content: PartContent::Text(value.to_string()) });
    }

    #[allow(dead_code, reason = "called by generated code where a multipart body has objects")]
    pub(crate) fn json(
        &mut self,
        name: &'static str,
        value: &impl Serialize,
        media_type: Option<&'static str>,
    ) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|error| {
            Error::invalid_argument(format!("`{name}` cannot be written as JSON")).with_source(error)
        })?;
        self.parts.push(Part { name: name.into(), content: PartContent::Json { text, media_type } });
        Ok(())
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}
