import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Call } from './polyai-stand-in.ts';

type Schema = Record<string, unknown>;
type Content = { content: Record<string, { schema: Schema }> };
type Parameter = { name: string; in: 'path' | 'header'; required: boolean; schema: Schema };
type Operation = {
  parameters: Parameter[];
  requestBody: Content;
  responses: Record<string, Content | { $ref: string }>;
};
type OpenApi = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Record<string, Content> };
};

/** What this project knows about PolyAI's close endpoint, as an OpenAPI document. */
export const contract: OpenApi = readJson('polyai.openapi.json');

const [[template = '', methods = {}] = []] = Object.entries(contract.paths);
const [[method = '', operation = {} as Operation] = []] = Object.entries(methods);

/** How a request deviates from the contract; empty if it conforms. */
export function requestFaults(call: Pick<Call, 'method' | 'path' | 'headers' | 'body'>): string[] {
  const segments = new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]*)')}$`).exec(call.path)?.groups;
  if (call.method !== method.toUpperCase() || !segments)
    return [`${call.method} ${call.path}: no such operation`];
  const parameters = operation.parameters.flatMap(({ name, in: place, required, schema }) => {
    const value =
      place === 'path' ? decodeURIComponent(segments[name] ?? '') : call.headers[name.toLowerCase()];
    if (value === undefined) return required ? [`${name}: missing`] : [];
    return faults(name, schema, value);
  });
  return [...parameters, ...bodyFaults('request', operation.requestBody, call.headers, call.body)];
}

/** How an answer deviates from the contract; empty if it conforms. */
export function answerFaults(answer: {
  status: number;
  headers: Record<string, string>;
  body: string;
}): string[] {
  const response = operation.responses[answer.status] ?? operation.responses.default;
  if (!response) return [`${answer.status}: no such answer`];
  const content =
    '$ref' in response ? contract.components.responses[response.$ref.split('/').at(-1) ?? ''] : response;
  return bodyFaults(`answer ${answer.status}`, content, answer.headers, answer.body);
}

function bodyFaults(
  where: string,
  content: Content | undefined,
  headers: Record<string, string>,
  body: string,
): string[] {
  const type = headers['content-type']?.split(';')[0]?.trim() ?? 'none';
  const schema = content?.content[type]?.schema;
  if (!schema) return [`${where}: unexpected content type ${type}`];
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return [`${where}: not JSON`];
  }
  return faults(where, schema, value);
}

/** Moves the definitions into the schema: Zod expects them inside, and OpenAPI keeps them beside it. */
function faults(where: string, schema: Schema, value: unknown): string[] {
  const whole = JSON.stringify({ ...schema, $defs: contract.components.schemas });
  const standalone = JSON.parse(whole.replaceAll('#/components/schemas/', '#/$defs/'));
  const { error } = z.fromJSONSchema(standalone).safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => `${[where, ...path].join('.')}: ${message}`);
}

function readJson(file: string): OpenApi {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}
