import { writeFileSync } from 'node:fs';
import { schemaText } from '../infra/config/schema.ts';

// What editors check connections.json against; a test proves it current.
writeFileSync(new URL('../connections.schema.json', import.meta.url), schemaText());
