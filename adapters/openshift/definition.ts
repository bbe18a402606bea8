import type { AdapterDefinition } from '../adapter.js';

/** The rest of the adapter, and with it the Kubernetes client, is loaded by the first platform that uses it. */
export const openshiftDefinition: AdapterDefinition = {
  name: 'openshift',
  summary:
    'An OpenShift 4 cluster: a project for each environment, a binary build and a Deployment with a Route for each instance.',
  options: [
    {
      name: 'server',
      type: 'string',
      help: 'URL of the API server, e.g. https://api.cluster.example.org:6443. Not with kubeconfig.',
    },
    {
      name: 'token',
      type: 'string',
      secret: true,
      help: 'Bearer token of the account (`oc whoami -t`, or that of a service account). With server.',
    },
    { name: 'caFile', type: 'string', help: 'File with the certificates (PEM) that sign the API server. With server.' },
    {
      name: 'skipTlsVerification',
      type: 'boolean',
      default: false,
      help: 'Trusts any API server. For trials only. With server.',
    },
    {
      name: 'kubeconfig',
      type: 'string',
      help: 'A kubeconfig file instead of server and token: clusters, client certificates, CAs, log-in helpers.',
    },
    { name: 'context', type: 'string', help: 'Context of the kubeconfig. Without it the current one.' },
    {
      name: 'projectPrefix',
      type: 'string',
      default: 'coaps',
      help: 'Beginning of the names of all projects: a lower-case word of at most 20 letters, digits and dashes.',
    },
    {
      name: 'imageNamespace',
      type: 'string',
      default: 'openshift',
      help: 'Namespace of the image streams of builders and databases.',
    },
    {
      name: 'builders',
      type: 'map',
      default: {},
      help: 'Builder image of a container, when the one found is not right: {tomcat: "jboss-webserver:latest", php: "team/php:8.2"}; an image with a registry host is taken as such.',
    },
    {
      name: 'databases',
      type: 'map',
      default: {},
      help: 'Image of a database in the same form: {mysql: "mysql:8.0-el9"}; or a template: {redis: "template:openshift/redis-persistent"}.',
    },
    {
      name: 'routeDomain',
      type: 'string',
      help: 'Domain of the applications, e.g. apps.cluster.example.org. Without it the cluster chooses.',
    },
    {
      name: 'tls',
      type: 'boolean',
      default: true,
      help: 'Applications answer over HTTPS (edge termination; HTTP is redirected).',
    },
    { name: 'storage', type: 'string', default: '1Gi', help: 'Size of the volume of each database.' },
    { name: 'storageClass', type: 'string', help: 'Storage class of these volumes. Without it the default one.' },
    {
      name: 'memory',
      type: 'number',
      default: 512,
      help: 'MiB of each process when neither environment nor instance says.',
    },
    { name: 'requestTimeout', type: 'number', default: 30, help: 'Seconds that a request may take.' },
    { name: 'buildStartTimeout', type: 'number', default: 300, help: 'Seconds until a build runs.' },
    { name: 'buildTimeout', type: 'number', default: 1800, help: 'Seconds that a build may take.' },
    { name: 'rolloutTimeout', type: 'number', default: 300, help: 'Seconds until the processes are ready.' },
    { name: 'deleteTimeout', type: 'number', default: 300, help: 'Seconds until what is deleted is gone.' },
  ],
  async create(context) {
    const { createOpenShiftAdapter } = await import('./index.js');
    return createOpenShiftAdapter(context);
  },
  async check(context, signal) {
    const { checkOpenShift } = await import('./check.js');
    return checkOpenShift(context, signal);
  },
};
