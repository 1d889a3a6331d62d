//! Reads and checks the marks of calls that run as jobs, of calls that can be priced, and of operations that return the
//! state of a job.

use super::{Reader, cross_checks::response_property};
use crate::{
    document::Node,
    model::{Job, Kind, Location, Model, Object, Operation, Poll, Property, Quote, Shape},
};

impl<'d> Reader<'d> {
    pub(super) fn job(&self, node: &Node<'d>) -> Option<Job> {
        let mark = self.extension(node, "-job")?;
        self.only_keys(&mark, &["property", "webhook", "poll"]);
        let name = |key| mark.get(key).map(|_| self.text(&mark, key));
        Some(Job { property: name("property"), webhook: name("webhook"), poll: self.text(&mark, "poll") })
    }

    pub(super) fn quote(&self, node: &Node<'d>) -> Option<Quote> {
        let mark = self.extension(node, "-quote")?;
        self.only_keys(&mark, &["parameter", "response"]);
        let parameter = self.text(&mark, "parameter");
        let Some(response) = mark.get("response") else {
            self.report(&mark, "a quote without `response`", "add `response: {$ref: ...}`");
            return None;
        };
        match self.schema(&response).kind {
            Kind::Component(response) => Some(Quote { parameter, response }),
            // A reference that leads to no component has been reported.
            _ if response.get("$ref").is_some() => None,
            _ => {
                let repair = "write `$ref: '#/components/schemas/Name'`";
                self.report(&response, "the response with the price must be a named component", repair);
                None
            }
        }
    }

    pub(super) fn poll(&self, node: &Node<'d>) -> Option<Poll> {
        let mark = self.extension(node, "-poll")?;
        self.only_keys(&mark, &["status", "completed", "failed", "reason"]);
        let [status, completed, failed] = ["status", "completed", "failed"].map(|key| self.text(&mark, key));
        Some(Poll { status, completed, failed, reason: mark.get("reason").map(|_| self.text(&mark, "reason")) })
    }

    pub(super) fn jobs_can_be_polled(&self, model: &Model, operation: &Operation) {
        let Some(job) = &operation.job else { return };
        let report = |message: String, repair: &str| self.report_at(&operation.pointer, message, repair);
        match model.operation(&job.poll).filter(|poll| poll.poll.is_some()) {
            None => report(
                format!("`{}` is not an operation that returns the state of a job", job.poll),
                "name an operation with the extension for polls",
            ),
            Some(poll) => {
                let id = id_parameter(poll).and_then(|id| response_property(model, operation, id));
                if !id.is_some_and(|id| is_text(model, id)) {
                    let message = format!("the response has no property for the parameter of `{}`", job.poll);
                    report(message, "name the id in the response as the parameter is named");
                }
            }
        }
        let object = operation.body.as_ref().and_then(|body| model.object(&body.component));
        if let Some(name) = &job.property {
            let property = object.and_then(|object| object.property(name)).filter(|property| !property.required);
            let is_switch = property.is_some_and(|property| is_boolean(model, property));
            if !is_switch || object.is_some_and(|object| is_in_a_choice(object, name)) {
                let message = format!("`{name}` is not an optional boolean property of the request");
                report(message, "name the property that makes a call a job, or leave it out if every call is one");
            }
        }
        if let Some(name) = &job.webhook
            && !object.and_then(|object| object.property(name)).is_some_and(|property| is_text(model, property))
        {
            let message = format!("`{name}` is not a text property of the request");
            report(message, "name the property with the address of the webhook");
        }
        // The generated struct of a request lacks the property, for all operations that take it.
        let shares_the_body = |other: &&Operation| {
            let components = other.body.as_ref().zip(operation.body.as_ref());
            components.is_some_and(|(one, other)| one.component == other.component)
        };
        let property = |of: &Operation| of.job.as_ref().and_then(|job| job.property.clone());
        let mut sharing = model.operations.iter().filter(shares_the_body);
        if let Some(other) = sharing.find(|other| property(other) != property(operation)) {
            let message = format!("`{}` has the same request, and another mark of jobs", other.id);
            report(message, "give both operations the same mark, or a request of their own");
        }
    }

    pub(super) fn quotes_have_a_price(&self, model: &Model, operation: &Operation) {
        let Some(quote) = &operation.quote else { return };
        let report = |message: String, repair: &str| self.report_at(&operation.pointer, message, repair);
        let is_switch = operation.parameters.iter().any(|parameter| {
            parameter.name == quote.parameter
                && parameter.location == Location::Query
                && !parameter.required
                && matches!(model.resolved(&parameter.schema).kind, Kind::Boolean)
        });
        if !is_switch {
            let message = format!("`{}` is not an optional boolean query parameter", quote.parameter);
            report(message, "name the parameter that asks for the price");
        }
        if model.object(&quote.response).is_none() {
            report(format!("`{}` is not an object", quote.response), "refer to an object with the price");
        }
    }

    pub(super) fn polls_tell_a_state(&self, model: &Model, operation: &Operation) {
        let Some(poll) = &operation.poll else { return };
        let report = |message: String, repair: &str| self.report_at(&operation.pointer, message, repair);
        if id_parameter(operation).is_none() {
            let repair = "remove the other parameters and the body";
            report("a poll has one parameter, the id of the job in the path".to_owned(), repair);
        }
        for name in [Some(&poll.status), poll.reason.as_ref()].into_iter().flatten() {
            if !response_property(model, operation, name).is_some_and(|property| is_text(model, property)) {
                report(format!("`{name}` is not a text property of the response"), "name a property of the response");
            }
        }
        let status = response_property(model, operation, &poll.status);
        let Some(Kind::Component(component)) = status.map(|property| &model.resolved(&property.schema).kind) else {
            return;
        };
        let Shape::Enum(values) = &model.components[component].shape else { return };
        for value in [&poll.completed, &poll.failed] {
            if !values.contains(value) {
                report(format!("`{value}` is not a value of `{component}`"), "write a value of the enum");
            }
        }
    }
}

/// The name of the one parameter of an operation that polls.
pub(crate) fn id_parameter(operation: &Operation) -> Option<&str> {
    match operation.parameters.as_slice() {
        [id] if id.location == Location::Path && operation.body.is_none() => Some(&id.name),
        _ => None,
    }
}

fn is_text(model: &Model, property: &Property) -> bool {
    match &model.resolved(&property.schema).kind {
        Kind::Text(_) => true,
        Kind::Component(name) => matches!(model.components[name].shape, Shape::Enum(_)),
        _ => false,
    }
}

fn is_boolean(model: &Model, property: &Property) -> bool {
    matches!(model.resolved(&property.schema).kind, Kind::Boolean)
}

fn is_in_a_choice(object: &Object, name: &str) -> bool {
    object.choices.iter().any(|choice| choice.properties().contains(&name))
}
