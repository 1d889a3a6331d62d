//! The items that generated code names. Nothing else imports this module.

pub(crate) use crate::{
    call::call,
    document::{
        schema::Pattern,
        validate::{Source, sealed::HasSchema},
    },
    job::{quote, submit, wait},
    request::{Multipart, Parts},
    values::{
        convert, convert_all, convert_optional, nearest_integer, nearest_integer_or_none, null_as_default,
        open_enum::open_enum, open_union::open_union, path_value::path_value,
    },
};
#[cfg(feature = "blocking")]
pub(crate) use crate::{
    call::call_blocking,
    job::{quote_blocking, submit_blocking},
};
