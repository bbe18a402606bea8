import type { Documents } from './documents.js';
import { notFound } from './errors.js';
import { type Call, listOf, type Routes } from './http.js';
import type { Offering, Operation, Plan, User } from './objects.js';
import { serviceDocuments } from './service-documents.js';
import type { World } from './world.js';

/** What a broker that fails makes of a job. */
export const failure = (detail: string) => ({ code: 10009, title: 'CF-UnableToPerform', detail });

export const visible = (plan: Plan, user: User) => plan.public || user.admin;

export function operation(type: string, state: string, description: string | null): Operation {
  return { type, state, description, created: new Date(), updated: new Date() };
}

/** Offerings and plans. */
export function marketplaceRoutes(world: World, documents: Documents): Routes {
  const shown = serviceDocuments(documents);
  return {
    'GET /v3/service_offerings': (call) =>
      listOf<Offering>(
        call,
        world.urls.api,
        world.offerings.filter((one) => world.plans.some((plan) => plan.offering === one && visible(plan, call.user))),
        shown.offering,
        {
          filters: { names: (one) => one.name },
          extra: ['space_guids', 'organization_guids', 'available', 'fields'],
          orders: ['created_at', 'updated_at', 'name'],
        },
      ),
    'GET /v3/service_plans': (call) =>
      listOf<Plan>(
        call,
        world.urls.api,
        world.plans.filter((plan) => visible(plan, call.user)),
        shown.plan,
        {
          filters: {
            names: (one) => one.name,
            service_offering_names: (one) => one.offering.name,
            service_offering_guids: (one) => one.offering.guid,
          },
          extra: ['space_guids', 'organization_guids', 'available', 'fields'],
          include: {
            service_offering: (plans) => ({
              service_offerings: [...new Set(plans.map((one) => one.offering))].map(shown.offering),
            }),
          },
        },
      ),
    'GET /v3/service_plans/:guid/visibility': (call) => ({
      status: 200,
      body: { type: planOf(world, call).public ? 'public' : 'admin' },
    }),
    'PATCH /v3/service_plans/:guid/visibility': (call) => {
      planOf(world, call).public = call.body['type'] === 'public';
      return { status: 200, body: { type: call.body['type'] } };
    },
    'POST /v3/service_brokers': () =>
      documents.accepted(
        world.job(
          'service_broker.catalog.synchronize',
          { service_brokers: `/v3/service_brokers/${world.offerings[0]?.broker}` },
          () => {},
        ),
      ),
  };
}

function planOf(world: World, { params, user }: Call): Plan {
  const plan = world.plans.find((one) => one.guid === params['guid']);
  if (!plan || !user.admin) throw notFound('Service plan');
  return plan;
}
