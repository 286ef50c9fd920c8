import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { OperatorError } from '../../operate/error.ts';
import { type Asset, loadAssets } from './assets.ts';
import { rememberSecrets } from './crm-copy.ts';
import { createEvents } from './events.ts';
import { refusalOf, SECURITY_HEADERS } from './guard.ts';
import type { ConsoleParts } from './parts.ts';
import { createRecord, type DeliveryRecord } from './record.ts';
import { createRoutes } from './routes.ts';
import { readState } from './state.ts';
import { createWeather } from './weather.ts';

export type Console = {
  /** `http://127.0.0.1:PORT/` */
  url: string;
  record: DeliveryRecord;
  close(): Promise<void>;
};

const MAX_BODY_BYTES = 2 * 1024 * 1024;
const HOST = '127.0.0.1';

/** Serves the console on loopback: a page that shows what happens in the local stack, and sends deliveries to it. */
export async function startConsole(given: ConsoleParts): Promise<Console> {
  const aws = { ...given.aws, secretsManager: rememberSecrets(given.aws.secretsManager) };
  const parts = { ...given, aws };
  const assets = await loadAssets();
  const record = createRecord(() => events.changed());
  const weather = createWeather(parts);
  const events = createEvents(() => readState(record, weather.state, parts));
  const routes = createRoutes(record, weather, parts);
  parts.standIn?.onCall(() => events.changed());

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    const refused = refusalOf(request, port);
    if (refused) return json(response, 403, { error: refused });
    const { pathname, searchParams } = new URL(request.url ?? '/', `http://${HOST}`);
    const asset = assets[pathname];
    if (asset && request.method === 'GET') return file(response, asset);
    if (pathname === '/events') return events.open(response);
    const route = routes[`${request.method} ${pathname}`];
    if (!route) return json(response, 404, { error: `There is no ${pathname}.` });
    try {
      json(response, 200, await route(await readJson(request), searchParams));
      events.changed();
    } catch (error) {
      const isInput = error instanceof OperatorError || error instanceof z.ZodError;
      json(response, isInput ? 400 : 500, { error: sentenceOf(error) });
    }
  }

  return {
    url: `http://${HOST}:${port}/`,
    record,
    async close() {
      events.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function file(response: ServerResponse, { type, content }: Asset): void {
  response.writeHead(200, { 'content-type': type }).end(content);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** @throws {OperatorError} when the body is too large or not JSON */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new OperatorError('The body is larger than 2 MiB.');
    chunks.push(chunk);
  }
  if (size === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new OperatorError('The body is not JSON.');
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
}
