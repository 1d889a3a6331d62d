//! Parts of multipart bodies, which generated encoders fill.

use std::{
    borrow::Cow,
    fmt::{self, Display},
    io,
};

use serde::Serialize;

use crate::{Error, ErrorKind, File, Outcome};

/// One part of a multipart body.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// The name of the part.
    pub name: Cow<'static, str>,
    /// The content of the part.
    pub content: PartContent,
}

/// The content of a part.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PartContent {
    /// A scalar as text.
    Text(String),
    /// An object as JSON text.
    Json {
        /// The JSON.
        text: String,
        /// The media type of the part, if the document names one.
        media_type: Option<&'static str>,
    },
    /// A file.
    File(File),
}

/// A request body that is sent as multipart. Implementations are generated from the document.
pub(crate) trait Multipart {
    fn encode(&self, parts: &mut Parts) -> Result<(), Error>;
}

#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(super) parts: Vec<Part>,
}

impl Parts {
    pub(crate) fn file(&mut self, name: &'static str, file: &File) {
        self.parts.push(Part { name: name.into(), content: PartContent::File(file.clone()) });
    }

    pub(crate) fn text(&mut self, name: &'static str, value: &impl Display) {
        self.parts.push(Part { name: name.into(), content: PartContent::Text(value.to_string()) });
    }

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
}

impl Part {
    pub(crate) fn unreadable(&self, error: &io::Error) -> Error {
        let file = match &self.content {
            PartContent::File(file) => {
                file.path().map_or_else(|| file.name().into_owned(), |path| path.display().to_string())
            }
            _ => String::new(),
        };
        let message = format!("`{}`: cannot send \"{file}\": {error}", self.name);
        // The message contains the cause already; the source keeps its kind.
        Error::new(ErrorKind::LocalIo, Outcome::NotSent, message).with_source(io::Error::from(error.kind()))
    }
}

impl Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.name)?;
        match &self.content {
            PartContent::Text(text) | PartContent::Json { text, .. } => formatter.write_str(text),
            PartContent::File(file) => write!(formatter, "file \"{}\"", file.name()),
        }
    }
}
