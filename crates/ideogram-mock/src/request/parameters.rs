//! Parameters of path and query, read by their types and checked by their schemas.

use axum::extract::Query;
use http::Uri;
use serde_json::{Map, Value};

use crate::{
    document::{Operation, Parameter, Place},
    reply::Reply,
};

/// The variables of the path as values.
pub(super) fn path(operation: &Operation, variables: &[(String, String)]) -> Map<String, Value> {
    let value = |(name, text): &(String, String)| {
        let value = match parameter(operation, Place::Path, name) {
            Some(parameter) => parameter.scalar.read(text.clone()),
            None => text.clone().into(),
        };
        (name.clone(), value)
    };
    variables.iter().map(value).collect()
}

/// The parameters of the query as values; a repeated one is an array, one that the document does not know is ignored.
pub(super) fn query(operation: &Operation, uri: &Uri) -> Result<Map<String, Value>, Reply> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(pairs) = query.map_err(|error| Reply::bad_request(&format!("malformed query: {error}")))?;
    let mut values = Map::new();
    for (name, text) in pairs {
        // `openapi/README.md` says why.
        let Some(parameter) = parameter(operation, Place::Query, &name) else { continue };
        let value = parameter.scalar.read(text);
        match values.get_mut(&name) {
            None if parameter.repeated => _ = values.insert(name, Value::Array(vec![value])),
            None => _ = values.insert(name, value),
            Some(Value::Array(earlier)) if parameter.repeated => earlier.push(value),
            Some(_) => return Err(Reply::bad_request(&format!("the query parameter '{name}' is given twice"))),
        }
    }
    Ok(values)
}

/// Whether all required values are there and all values fit.
pub(super) fn check(operation: &Operation, place: Place, values: &Map<String, Value>) -> Result<(), Reply> {
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == place) {
        let name = &parameter.name;
        let complaint = match values.get(name) {
            Some(value) => parameter.check.complaint(value).map(|complaint| format!("{complaint} - '{name}'")),
            None => parameter.required.then(|| format!("the parameter '{name}' is required")),
        };
        if let Some(complaint) = complaint {
            return Err(Reply::bad_request(&complaint));
        }
    }
    Ok(())
}

fn parameter<'a>(operation: &'a Operation, place: Place, name: &str) -> Option<&'a Parameter> {
    operation.parameters.iter().find(|parameter| parameter.place == place && parameter.name == name)
}
