import { z } from 'zod';
import { connectionCard } from '../../operate/card/card.ts';
import { OperatorError } from '../../operate/error.ts';
import { lookAtCleanup } from './cleanup.ts';
import { deliver, draft } from './deliver.ts';
import { planOutage } from './outage.ts';
import type { ConsoleParts } from './parts.ts';
import type { DeliveryRecord } from './record.ts';
import { explainText, tell } from './story.ts';
import { WEATHERS } from './view.ts';
import type { Weather } from './weather.ts';

const DAY_MS = 24 * 3_600_000;
const KINDS = ['genuine', 'forged', 'not_finished', 'without_id'] as const;

const ORDER = z.strictObject({
  connection: z.string(),
  kind: z.enum(KINDS),
  conversationId: z.string().exactOptional(),
  body: z.string().exactOptional(),
  keepSignature: z.boolean().exactOptional(),
});
const SWITCH = z.union([
  z.strictObject({ polyai: z.enum(WEATHERS) }),
  z.strictObject({ secretsFail: z.boolean() }),
  z.strictObject({ workerOff: z.boolean() }),
]);
const CLEANUP = z.strictObject({ project: z.string(), run: z.boolean() });
const CHAT = z.strictObject({ project: z.string(), idleHours: z.number().min(0).max(300) });
const CAPTURE = z.strictObject({ connection: z.string(), text: z.string() });

type Handler = (input: unknown, query: URLSearchParams) => Promise<unknown>;

/** What the page can ask for, by method and path. */
export function createRoutes(
  record: DeliveryRecord,
  weather: Weather,
  parts: ConsoleParts,
): Record<string, Handler> {
  const { deployment, aws, signal, standIn } = parts;
  return {
    'GET /api/story': async (_input, query) => {
      const entry = record.find(query.get('id') ?? '');
      if (!entry) throw new OperatorError('There is no such delivery: the console keeps the last 200.');
      return tell(entry, parts);
    },
    'GET /api/card': (_input, query) => {
      const span = { from: Date.now() - DAY_MS, to: Date.now() + DAY_MS };
      const surroundings = { ...aws, progress: () => {}, signal };
      return connectionCard(query.get('connection') ?? '', deployment, span, surroundings);
    },
    'GET /api/outage': async (_input, query) => planOutage(Number(query.get('hours') ?? 24)),
    'POST /api/draft': (input) => draft(ORDER.parse(input), parts),
    'POST /api/send': async (input) => ({ id: (await deliver(ORDER.parse(input), record, parts)).id }),
    'POST /api/explain': (input) => {
      const { connection, text } = CAPTURE.parse(input);
      return explainText(connection, text, parts);
    },
    'POST /api/weather': async (input) => {
      const change = SWITCH.parse(input);
      if ('polyai' in change) weather.polyai(change.polyai);
      else if ('secretsFail' in change) await weather.secretsFail(change.secretsFail);
      else await weather.workerOff(change.workerOff);
      return weather.state;
    },
    'POST /api/cleanup': (input) => {
      const { project, run } = CLEANUP.parse(input);
      return lookAtCleanup(project, run, parts);
    },
    'POST /api/chat': async (input) => {
      const { project, idleHours } = CHAT.parse(input);
      const owner = deployment.configuration.projects[project];
      if (!standIn || !owner) throw new OperatorError('Only the stand-in opens chats, in a known project.');
      const { accountId, projectId } = owner;
      const startedAt = Date.now() - idleHours * 3_600_000;
      return { conversationId: standIn.openChat({ accountId, projectId }, { startedAt }) };
    },
  };
}
