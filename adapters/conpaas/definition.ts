import type { AdapterDefinition } from '../adapter.js';

export const conpaasDefinition: AdapterDefinition = {
  name: 'conpaas',
  summary:
    'A ConPaaS: the one inside this gateway, or any other Director; a ConPaaS application for each environment, a service for each instance.',
  options: [
    {
      name: 'embedded',
      type: 'boolean',
      default: false,
      help: 'The gateway runs this ConPaaS itself, and everything else is known.',
    },
    {
      name: 'director',
      type: 'string',
      required: true,
      help: 'URL of the Director, e.g. https://director.example.org:5555.',
    },
    {
      name: 'credentials',
      type: 'string',
      help: 'Folder with cert.pem, key.pem and ca_cert.pem of a ConPaaS user, as cpsclient keeps them in ~/.conpaas.',
    },
    {
      name: 'certificate',
      type: 'string',
      help: 'The same one by one: certificate of the user (PEM text, or a file).',
    },
    { name: 'key', type: 'string', secret: true, help: 'Its key (PEM text, or a file).' },
    { name: 'ca', type: 'string', help: 'Certificate of the ConPaaS authority (PEM text, or a file).' },
    { name: 'managerPort', type: 'number', default: 443, help: 'Port on which the managers listen.' },
    { name: 'appPort', type: 'number', default: 80, help: 'Port of the proxies, for a Director that tells no URL.' },
    {
      name: 'oldTls',
      type: 'boolean',
      default: false,
      help: 'Also accepts TLS 1.0 and SHA-1 certificates, which a ConPaaS of the years 2012 to 2015 has.',
    },
    { name: 'requestTimeout', type: 'number', default: 60, help: 'Seconds that a request may take.' },
    {
      name: 'changeTimeout',
      type: 'number',
      default: 900,
      help: 'Seconds that a service may take to start, to change or to stop.',
    },
  ],
  async create(context) {
    const { createConpaasAdapter } = await import('./index.js');
    return await createConpaasAdapter(context);
  },
  async check(context, signal) {
    const { checkConpaas } = await import('./check.js');
    return await checkConpaas(context, signal);
  },
};
