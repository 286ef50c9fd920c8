// What the server of the console gives to its page. Only types: the page imports them too.

/** How a delivery was made. `outside`: not sent by the console, so only its log lines are known. */
export type Kind = 'genuine' | 'forged' | 'not_finished' | 'without_id' | 'outside';

/** Where a delivery is. `receiver` and `done` are final; `waiting` has a time for the next attempt. */
export type Place = 'sending' | 'receiver' | 'queue' | 'waiting' | 'done';

export type DeliveryView = {
  id: string;
  /** Unix milliseconds, as all times here. */
  at: number;
  connection: string;
  kind: Kind;
  place: Place;
  /** The HTTP status of the answer. */
  status?: number;
  conversationId?: string;
  ticket?: string;
  attempts: number;
  /** How many of its log lines were seen. The page reads the story again when there are more. */
  lines: number;
  /** The outcome, or why the delivery was refused or ignored. */
  result?: string;
  nextTryAt?: number;
};

export type ConnectionView = {
  name: string;
  title: string;
  project: string;
  /** Absent for a connection on an event bus, to which nobody but the vendor can send. */
  address?: string;
};

export type ChatView = {
  conversationId: string;
  open: boolean;
  startedAt: number;
  ticket?: string;
};

export const WEATHERS = ['up', 'slow', 'throttled', 'error', 'wrong_key', 'unconfirmed', 'hanging'] as const;
export type PolyAIWeather = (typeof WEATHERS)[number];

export type WeatherView = {
  /** Absent with a PolyAI that is not the stand-in. */
  polyai?: PolyAIWeather;
  secretsFail: boolean;
  workerOff: boolean;
};

export type State = {
  now: number;
  connections: ConnectionView[];
  projects: { name: string; hasCleanup: boolean }[];
  /** The newest first. */
  deliveries: DeliveryView[];
  /** The newest first. */
  chats: ChatView[];
  queue: { waiting: number; held: number };
  /** How many log lines were seen. */
  lines: number;
  weather: WeatherView;
};

export type Mark = 'ok' | 'bad' | 'unknown';

export type Attempt = {
  at: number;
  request: string;
  body: string;
  /** 0 if there was no answer. */
  status: number;
  answer: string;
};

export type Story = {
  delivery: DeliveryView;
  verdict?: { cause: string; sentence: string; next?: string; isGood: boolean };
  /** The request as it was received; absent when the console did not send it. */
  request?: { url: string; headers: [string, string][]; body: string };
  curl?: string;
  steps: { step: string; mark: Mark; sentence: string }[];
  selectors: { conversationId: string; finished: string };
  answer?: { status: number; body: string };
  /** The ids that the message on the queue holds. */
  message?: Record<string, unknown>;
  attempts: Attempt[];
  lines: Record<string, unknown>[];
};

export type Draft = { conversationId: string; body: string };

export type CleanupView = {
  project: string;
  /** Whether the project has a cleanup. Without one, the defaults of docs/cleanup.md are shown. */
  isConfigured: boolean;
  rule: string;
  chats: { id: string; closes: boolean; why: string }[];
  run?: string;
};

/** A wait of the back-off, in seconds since the first attempt. */
export type PlannedTry = { at: number; wait: number };
