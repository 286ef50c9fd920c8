import { isOnBus } from '../../infra/config/bus.ts';
import { readGuide } from '../../operate/card/guide.ts';
import { depthOf } from '../../operate/queue-depth.ts';
import type { ConsoleParts } from './parts.ts';
import { type DeliveryRecord, viewOf } from './record.ts';
import type { ChatView, State, WeatherView } from './view.ts';

const SHOWN_CHATS = 50;

/** Everything that the page shows at a glance. */
export async function readState(
  record: DeliveryRecord,
  weather: WeatherView,
  parts: ConsoleParts,
): Promise<State> {
  const { deployment, aws } = parts;
  const { connections, projects } = deployment.configuration;
  const deliveries = record.all().map(viewOf);
  return {
    now: Date.now(),
    connections: Object.entries(connections).map(([name, { crm, polyai }]) => ({
      name,
      title: readGuide(crm).title,
      project: polyai,
      ...(!isOnBus(crm) && { address: parts.local.webhookUrl(name) }),
    })),
    projects: Object.entries(projects).map(([name, { cleanup }]) => ({
      name,
      hasCleanup: cleanup !== undefined,
    })),
    deliveries,
    chats: chatsOf(parts, new Map(deliveries.map((each) => [each.conversationId, each.ticket]))),
    queue: (await depthOf(aws.sqs, deployment.outputs.CloseQueueUrl)) ?? { waiting: 0, held: 0 },
    lines: record.countLines(),
    weather,
  };
}

function chatsOf(
  { standIn }: ConsoleParts,
  tickets: Map<string | undefined, string | undefined>,
): ChatView[] {
  const chats = standIn?.chats() ?? [];
  return chats
    .slice(-SHOWN_CHATS)
    .reverse()
    .map(({ conversationId, open, startedAt }) => {
      const ticket = tickets.get(conversationId);
      return { conversationId, open, startedAt, ...(ticket && { ticket }) };
    });
}
