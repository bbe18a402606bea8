import { type Documents, stamp } from './documents.js';
import type { Binding, Offering, Operation, Plan, ServiceInstance } from './objects.js';

/** The documents of the marketplace, of service instances and bindings. */
export function serviceDocuments({ url, base, metadata, to }: Documents) {
  return {
    offering: (offering: Offering) => ({
      ...base(offering),
      name: offering.name,
      description: offering.description,
      available: true,
      tags: offering.tags,
      requires: [],
      shareable: false,
      documentation_url: '',
      broker_catalog: { id: offering.id, metadata: offering.metadata, features: offering.features },
      relationships: { service_broker: { data: { guid: offering.broker } } },
      ...metadata(offering),
      links: {
        self: url(`/v3/service_offerings/${offering.guid}`),
        service_plans: url(`/v3/service_plans?service_offering_guids=${offering.guid}`),
        service_broker: url(`/v3/service_brokers/${offering.broker}`),
      },
    }),
    plan: (plan: Plan) => ({
      ...base(plan),
      name: plan.name,
      visibility_type: plan.public ? 'public' : 'admin',
      available: true,
      free: plan.free,
      costs: plan.free ? [] : [{ amount: 100, currency: 'USD', unit: 'Monthly' }],
      description: plan.description,
      maintenance_info: {},
      broker_catalog: {
        id: `plan-${plan.name}`,
        metadata: {},
        maximum_polling_duration: null,
        features: { bindable: true, plan_updateable: true },
      },
      schemas: {
        service_instance: { create: { parameters: SIZE }, update: { parameters: {} } },
        service_binding: { create: { parameters: {} } },
      },
      relationships: { service_offering: to(plan.offering) },
      ...metadata(plan),
      links: {
        self: url(`/v3/service_plans/${plan.guid}`),
        service_offering: url(`/v3/service_offerings/${plan.offering.guid}`),
        visibility: url(`/v3/service_plans/${plan.guid}/visibility`),
      },
    }),
    instance: (instance: ServiceInstance) => {
      const path = `/v3/service_instances/${instance.guid}`;
      const common = {
        ...base(instance),
        name: instance.name,
        tags: instance.tags,
        last_operation: operation(instance.last),
        type: instance.type,
      };
      const links = {
        self: url(path),
        space: url(`/v3/spaces/${instance.space.guid}`),
        service_credential_bindings: url(`/v3/service_credential_bindings?service_instance_guids=${instance.guid}`),
        service_route_bindings: url(`/v3/service_route_bindings?service_instance_guids=${instance.guid}`),
      };
      if (instance.type === 'user-provided') {
        return {
          ...common,
          syslog_drain_url: null,
          route_service_url: null,
          relationships: { space: to(instance.space) },
          ...metadata(instance),
          links: { ...links, credentials: url(`${path}/credentials`) },
        };
      }
      return {
        ...common,
        maintenance_info: {},
        upgrade_available: false,
        dashboard_url: instance.dashboard ? `https://dashboard.example/${instance.guid}` : null,
        relationships: { space: to(instance.space), service_plan: to(instance.plan) },
        ...metadata(instance),
        links: {
          ...links,
          service_plan: url(`/v3/service_plans/${instance.plan?.guid}`),
          parameters: url(`${path}/parameters`),
          shared_spaces: url(`${path}/relationships/shared_spaces`),
        },
      };
    },
    binding: (binding: Binding) => {
      const path = `/v3/service_credential_bindings/${binding.guid}`;
      return {
        ...base(binding),
        name: binding.name,
        type: binding.type,
        last_operation: operation(binding.last),
        ...metadata(binding),
        relationships: { service_instance: to(binding.instance), ...(binding.app ? { app: to(binding.app) } : {}) },
        links: {
          self: url(path),
          details: url(`${path}/details`),
          service_instance: url(`/v3/service_instances/${binding.instance.guid}`),
          ...(binding.instance.type === 'managed' ? { parameters: url(`${path}/parameters`) } : {}),
          ...(binding.app ? { app: url(`/v3/apps/${binding.app.guid}`) } : {}),
        },
      };
    },
  };
}

const SIZE = {
  $schema: 'http://json-schema.org/draft-04/schema#',
  type: 'object',
  properties: { size_gb: { type: 'integer', minimum: 1 } },
};

function operation({ type, state, description, created, updated }: Operation) {
  return { type, state, description, updated_at: stamp(updated), created_at: stamp(created) };
}
