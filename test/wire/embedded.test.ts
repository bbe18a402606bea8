import { existsSync } from 'node:fs';
import { oldClientsSuite } from './old-clients-suite.js';

/** Their applications are wars: the embedded platform runs them on the machine's own Tomcat. */
const tomcat = ['/usr/share/tomcat10', '/usr/share/tomcat9'].some(existsSync);

(tomcat ? describe : describe.skip)(
  'The old clients, unchanged, against a gateway with the embedded platform (skipped where the machine has no Tomcat)',
  () => {
    oldClientsSuite({ adapter: 'conpaas', embedded: true }, { briefly: true, observe: 5 });
  },
);
