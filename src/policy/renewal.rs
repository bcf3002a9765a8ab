//! A policy as of another moment: ACLs compiled anew where entries expired, and given to the same subjects.
//!
//! Everything that does not depend on the moment is shared with the policy that it is made of.

use super::acl::IpAcl;
use super::compiled::PolicyParts;
use super::moment::Moment;
use super::subject::{ApiKey, Application, Assignment, PathRule, ResourceServer, Tenant};
use std::collections::HashMap;
use std::sync::Arc;

/// What stands in the place of each object that changed, by address.
type Renewed<T> = HashMap<*const T, Arc<T>>;

impl PolicyParts {
    /// The same parts as of another moment.
    pub(super) fn as_of(&self, now: Moment) -> Self {
        let outdated = self.acls.iter().filter(|acl| !acl.term().contains(now));
        let acls = outdated.map(|acl| (Arc::as_ptr(acl), Arc::new(acl.as_of(now)))).collect();
        let tenants = renewed(&self.tenants, |tenant| {
            Some(Tenant {
                assignment: Some(assignment(tenant.assignment.as_ref(), &acls)?),
                ..tenant.clone()
            })
        });
        let applications =
            renewed(&self.applications, |application| renew_application(application, &acls, &tenants));
        let servers = renewed(&self.resource_servers, |server| {
            let assignment = Some(assignment(server.assignment.as_ref(), &acls)?);
            Some(ResourceServer { assignment, ..server.clone() })
        });
        let key = |key: &ApiKey| match assignment(key.assignment.as_ref(), &acls) {
            Some(assignment) => ApiKey { assignment: Some(assignment), ..key.clone() },
            None => key.clone(),
        };
        let rule = |rule: &PathRule| match assignment(Some(&rule.assignment), &acls) {
            Some(assignment) => PathRule { assignment, ..rule.clone() },
            None => rule.clone(),
        };
        Self {
            rules: self.rules.clone(),
            acls: current(&self.acls, &acls),
            api_keys: self.api_keys.iter().map(key).collect(),
            tenants: current(&self.tenants, &tenants),
            applications: current(&self.applications, &applications),
            resource_servers: current(&self.resource_servers, &servers),
            path_rules: self.path_rules.iter().map(rule).collect(),
            files: self.files.clone(),
            unread: self.unread.clone(),
        }
    }
}

fn renewed<T>(objects: &[Arc<T>], renew: impl Fn(&T) -> Option<T>) -> Renewed<T> {
    objects.iter().filter_map(|object| Some((Arc::as_ptr(object), Arc::new(renew(object)?)))).collect()
}

fn current<T>(objects: &[Arc<T>], renewed: &Renewed<T>) -> Vec<Arc<T>> {
    objects.iter().map(|object| Arc::clone(renewed.get(&Arc::as_ptr(object)).unwrap_or(object))).collect()
}

/// `None`: it stays as it is.
fn assignment(given: Option<&Assignment>, acls: &Renewed<IpAcl>) -> Option<Assignment> {
    let given = given?;
    Some(Assignment { acl: Arc::clone(acls.get(&Arc::as_ptr(&given.acl))?), mode: given.mode })
}

/// `None`: it stays as it is, and so does its tenant.
fn renew_application(
    application: &Application,
    acls: &Renewed<IpAcl>,
    tenants: &Renewed<Tenant>,
) -> Option<Application> {
    let own = assignment(application.assignment.as_ref(), acls);
    let tenant = application.tenant.as_ref().and_then(|tenant| tenants.get(&Arc::as_ptr(tenant)));
    (own.is_some() || tenant.is_some()).then(|| Application {
        assignment: own.or_else(|| application.assignment.clone()),
        tenant: tenant.or(application.tenant.as_ref()).cloned(),
        ..application.clone()
    })
}
