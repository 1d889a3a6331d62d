//! Parameters of the query, read by their types, and of path and query, checked by their schemas.

use axum::extract::Query;
use http::Uri;
use serde_json::{Map, Value};

use crate::{
    document::{Location, Operation},
    reply::Reply,
};

/// Returns the parameters of the query as values. A parameter that may be repeated is an array; unknown ones are
/// ignored.
pub(super) fn query(operation: &Operation, uri: &Uri) -> Result<Map<String, Value>, Reply> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(pairs) = query.map_err(|error| Reply::bad_request(&format!("malformed query: {error}")))?;
    let known = || operation.parameters.iter().filter(|parameter| parameter.location == Location::Query);
    let mut values = Map::new();
    for (name, text) in pairs {
        // `openapi/README.md` gives the reason.
        let Some(parameter) = known().find(|parameter| parameter.name == name) else { continue };
        let value = parameter.scalar.read(text);
        match values.get_mut(&name) {
            None if parameter.repeated => _ = values.insert(name, Value::Array(vec![value])),
            None => _ = values.insert(name, value),
            Some(Value::Array(earlier)) if parameter.repeated => earlier.push(value),
            Some(_) => return Err(Reply::bad_request(&format!("the query parameter '{name}' is repeated"))),
        }
    }
    Ok(values)
}

/// Checks that all required values are present and all values are valid.
pub(super) fn check(operation: &Operation, location: Location, values: &Map<String, Value>) -> Result<(), Reply> {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.location == location) {
        let name = &parameter.name;
        let violation = match values.get(name) {
            Some(value) => parameter.check.violation(value).map(|violation| format!("{violation} - '{name}'")),
            None => parameter.required.then(|| format!("the parameter '{name}' is required")),
        };
        if let Some(violation) = violation {
            return Err(Reply::bad_request(&violation));
        }
    }
    Ok(())
}
