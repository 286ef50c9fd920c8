import { schemaText } from '../../infra/config/schema.ts';

/** A key of connections.json, as JSON Schema (draft 7) has it. */
export type Key = {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: readonly unknown[];
  const?: string;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Key>;
  required?: readonly string[];
  oneOf?: readonly Key[];
};

/** What the schema says about the connections of one preset. */
type PresetRule = {
  if: { properties: { crm: { const: string } } };
  then: { required: readonly string[]; properties: Record<string, false> };
};

type Connection = Key & { allOf: readonly PresetRule[] };

/** connections.json as its schema describes it: the one source of the tables about its keys. */
export type Configuration = {
  stack: Key;
  project: Key;
  cleanup: Key;
  connection: Connection;
  /** One entry for each scheme that `verify` offers. */
  verify: readonly Key[];
};

export function readConfiguration(): Configuration {
  const { properties } = JSON.parse(schemaText());
  const project: Key = properties.polyai.additionalProperties;
  const connection: Connection = properties.connections.additionalProperties;
  return {
    stack: properties.stack,
    project,
    cleanup: keyOf(project, 'cleanup'),
    connection,
    verify: keyOf(connection, 'verify').oneOf ?? [],
  };
}

function keyOf({ properties = {} }: Key, name: string): Key {
  const key = properties[name];
  if (!key) throw new Error(`The schema of connections.json has no key "${name}".`);
  return key;
}

/** The schemes that `verify` offers. */
export function chosenSchemes({ verify }: Configuration): string[] {
  return verify.flatMap((each) => each.properties?.scheme?.const ?? []);
}

/** The keys that connections of this preset take besides `crm` and `polyai`, in the schema's order. */
export function settingsOf({ connection }: Configuration, crm: string): string[] {
  const refused = ruleOf(connection, crm).then.properties;
  return Object.keys(connection.properties ?? {}).filter(
    (key) => key !== 'crm' && key !== 'polyai' && refused[key] === undefined,
  );
}

/** The keys that connections of this preset cannot do without. */
export function requiredOf({ connection }: Configuration, crm: string): readonly string[] {
  return ruleOf(connection, crm).then.required;
}

function ruleOf({ allOf }: Connection, crm: string): PresetRule {
  const rule = allOf.find((each) => each.if.properties.crm.const === crm);
  if (!rule) throw new Error(`The schema of connections.json has no entry for crm "${crm}".`);
  return rule;
}
