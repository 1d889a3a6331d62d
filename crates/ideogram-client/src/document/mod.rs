//! The OpenAPI document as data: operations, schemas, and the checks of values.

pub mod operation;
pub mod schema;
pub mod validate;
