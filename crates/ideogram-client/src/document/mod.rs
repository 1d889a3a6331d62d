//! What the document says, as data: operations, schemas, and the checks that follow from them.

pub mod operation;
pub mod schema;
pub mod validate;
