import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createSecretReader,
  FAILURE_MS,
  FRESH_MS,
  parseSecret,
  REREAD_EVERY_MS,
  REREADS,
  SecretNotReady,
  type SecretReader,
  SecretUnavailable,
  SHARED_REREAD_MS,
  STALE_MS,
} from '../../functions/secrets.ts';

const ID = 'polyai-chat-closer/connections/zendesk-support/secret';

/** An error as the SDK throws it. */
function awsError(name: string, httpStatusCode?: number): Error {
  const $metadata = { attempts: 2, ...(httpStatusCode && { httpStatusCode }) };
  return Object.assign(new Error('said by AWS'), { name, $metadata });
}

/** Errors with their names, for the titles of tests. */
function named(errors: Error[]): [string, Error][] {
  return errors.map((error) => [error.name, error]);
}

const PASSING = named([
  awsError('ThrottlingException', 400),
  awsError('LimitExceededException', 400),
  awsError('TooManyRequestsException', 429),
  awsError('Unknown', 429),
  awsError('InternalServiceError', 500),
  awsError('ServiceUnavailable', 503),
  awsError('TimeoutError'),
  Object.assign(new Error('connect ECONNREFUSED'), { name: 'Error', code: 'ECONNREFUSED' }),
]);
const REFUSING = named([
  awsError('AccessDeniedException', 400),
  awsError('ResourceNotFoundException', 400),
  awsError('InvalidRequestException', 400),
  awsError('DecryptionFailure', 400),
  awsError('UnrecognizedClientException', 400),
]);

/** A reader with a Secrets Manager and a clock that each test sets. */
function play(first: string | Error = 'v1') {
  const played = { answer: first, at: Date.parse('2026-07-01T12:00:00Z'), calls: 0 };
  const fetchSecret = async () => {
    played.calls += 1;
    await Promise.resolve();
    if (played.answer instanceof Error) throw played.answer;
    return { SecretString: played.answer };
  };
  const reader = createSecretReader(fetchSecret, () => played.at);
  return { played, reader };
}

describe('read', () => {
  it('asks Secrets Manager once in 15 minutes', async () => {
    const { played, reader } = play();
    expect(await reader.read(ID)).toBe('v1');
    played.answer = 'v2';
    played.at += FRESH_MS - 1;
    expect(await reader.read(ID)).toBe('v1');
    expect(played.calls).toBe(1);
    played.at += 1;
    expect(await reader.read(ID)).toBe('v2');
    expect(played.calls).toBe(2);
  });

  it('has its limits: 15 min, 15 s, 1 h, five re-reads and one every 2 s', () => {
    expect([FRESH_MS, FAILURE_MS, STALE_MS]).toEqual([900_000, 15_000, 3_600_000]);
    expect([REREADS, REREAD_EVERY_MS]).toEqual([5, 2000]);
  });

  it('makes one call for callers at the same time, and another after that one failed', async () => {
    const { played, reader } = play(awsError('InternalServiceError', 500));
    const results = await Promise.allSettled([reader.read(ID), reader.read(ID), reader.readAgain(ID, 'v0')]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(played.calls).toBe(1);
    played.answer = 'v1';
    played.at += FAILURE_MS;
    expect(await Promise.all([reader.read(ID), reader.read(ID)])).toEqual(['v1', 'v1']);
    expect(played.calls).toBe(2);
  });

  it('keeps secrets separate', async () => {
    const reader = createSecretReader(
      async (id) => ({ SecretString: `value of ${id}` }),
      () => 0,
    );
    expect(await Promise.all([reader.read('a'), reader.read('b')])).toEqual(['value of a', 'value of b']);
    expect(await reader.read('__proto__')).toBe('value of __proto__');
  });

  it.each([...PASSING, ...REFUSING])('remembers a failure for only 15 s: %s', async (_name, error) => {
    const { played, reader } = play(error);
    await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
    played.answer = 'v1';
    played.at += FAILURE_MS - 1;
    await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
    expect(played.calls).toBe(1);
    played.at += 1;
    expect(await reader.read(ID)).toBe('v1');
  });

  it.each(PASSING)('returns an old value for up to an hour after %s', async (_name, error) => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = error;
    played.at += FRESH_MS;
    expect(await reader.read(ID)).toBe('v1');
    played.at += STALE_MS - FRESH_MS - 1;
    expect(await reader.read(ID)).toBe('v1');
    played.at += 1;
    await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
  });

  it('calls at most every 15 s while it returns an old value', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = awsError('ThrottlingException', 400);
    played.at += FRESH_MS;
    for (let second = 0; second < 30; second += 1) {
      expect(await reader.read(ID)).toBe('v1');
      played.at += 1000;
    }
    expect(played.calls).toBe(1 + 2);
  });

  it.each(REFUSING)(
    'never returns an old value after %s, even when throttling follows',
    async (_name, error) => {
      const { played, reader } = play();
      await reader.read(ID);
      played.answer = error;
      played.at += FRESH_MS;
      await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
      played.answer = awsError('ThrottlingException', 400);
      played.at += FAILURE_MS;
      await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
    },
  );

  it('returns an empty text for a secret without text', async () => {
    const reader = createSecretReader(
      async () => ({}),
      () => 0,
    );
    expect(await reader.read(ID)).toBe('');
  });

  it("names the secret, what came back and the fix, but not AWS's message", async () => {
    const { reader } = play(awsError('AccessDeniedException', 400));
    await expect(reader.read(ID)).rejects.toThrow(
      `secret ${ID} cannot be read: AccessDeniedException. Allow this function to read it`,
    );
    await expect(reader.read(ID)).rejects.not.toThrow('said by AWS');
  });

  it.each([undefined, null, 'a string', 42])(
    'rejects with SecretUnavailable when %j was thrown',
    async (thrown) => {
      const reader = createSecretReader(
        () => Promise.reject(thrown),
        () => 0,
      );
      await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
    },
  );
});

describe('readAgain', () => {
  it('reads again although the value is fresh', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = 'v2';
    expect(await reader.readAgain(ID, 'v1')).toBe('v2');
    expect(await reader.read(ID)).toBe('v2');
    expect(played.calls).toBe(2);
  });

  it('returns the same value when nothing has changed; it calls five times, then once every two seconds', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    for (let look = 0; look < 8; look += 1) {
      expect(await reader.readAgain(ID, 'v1')).toBe('v1');
      played.at += SHARED_REREAD_MS;
    }
    expect(played.calls).toBe(1 + REREADS);
    played.answer = 'v2';
    played.at += REREAD_EVERY_MS - 8 * SHARED_REREAD_MS - 1;
    expect(await reader.readAgain(ID, 'v1')).toBe('v1');
    expect(played.calls).toBe(1 + REREADS);
    played.at += 1;
    expect(await reader.readAgain(ID, 'v1')).toBe('v2');
    expect(played.calls).toBe(2 + REREADS);
  });

  it('never calls more than 35 times in any minute', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 200 }), async (waits) => {
        const { played, reader } = play();
        await reader.read(ID);
        const asked: number[] = [];
        for (const wait of [...waits, ...Array(40).fill(100)]) {
          played.at += wait;
          const before = played.calls;
          await reader.readAgain(ID, 'v1');
          if (played.calls > before) asked.push(played.at);
        }
        for (const at of asked) {
          expect(asked.filter((other) => other >= at && other < at + 60_000).length).toBeLessThanOrEqual(35);
        }
      }),
    );
  });

  it('makes one call for callers that find the value wrong within 200 ms', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    for (let look = 0; look < 10; look += 1) await reader.readAgain(ID, 'v1');
    expect(played.calls).toBe(2);
    played.answer = 'v2';
    played.at += SHARED_REREAD_MS;
    expect(await reader.readAgain(ID, 'v1')).toBe('v2');
  });

  it('earns no re-read when the clock goes back', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    const look = async (by: number) => {
      played.at += by;
      await reader.readAgain(ID, 'v1');
    };
    for (let times = 0; times < 8; times += 1) await look(SHARED_REREAD_MS);
    await look(-60_000);
    expect(played.calls).toBe(1 + REREADS);
  });

  it('counts the re-reads of each secret separately', async () => {
    const { played, reader } = play();
    await Promise.all([reader.read('a'), reader.read('b')]);
    for (let look = 0; look < 8; look += 1) {
      await reader.readAgain('a', 'v1');
      played.at += SHARED_REREAD_MS;
    }
    played.answer = 'v2';
    expect(await reader.readAgain('b', 'v1')).toBe('v2');
  });

  it('returns what another caller has read meanwhile, without a call', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = 'v2';
    await reader.readAgain(ID, 'v1');
    expect(await reader.readAgain(ID, 'v1')).toBe('v2');
    expect(played.calls).toBe(2);
  });

  it('joins a call that is in progress', async () => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = 'v2';
    const [first, second] = await Promise.all([reader.readAgain(ID, 'v1'), reader.readAgain(ID, 'v1')]);
    expect([first, second]).toEqual(['v2', 'v2']);
    expect(played.calls).toBe(2);
  });

  it.each(PASSING)('returns the same value after %s', async (_name, error) => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = error;
    expect(await reader.readAgain(ID, 'v1')).toBe('v1');
  });

  it.each(REFUSING)('removes the value after %s', async (_name, error) => {
    const { played, reader } = play();
    await reader.read(ID);
    played.answer = error;
    await expect(reader.readAgain(ID, 'v1')).rejects.toThrow(SecretUnavailable);
    await expect(reader.read(ID)).rejects.toThrow(SecretUnavailable);
  });
});

describe('readAhead', () => {
  it('fills the cache and never throws', async () => {
    let calls = 0;
    const reader = createSecretReader(
      async (id) => {
        calls += 1;
        if (id === 'bad') throw awsError('AccessDeniedException', 400);
        return { SecretString: id };
      },
      () => 0,
    );
    await expect(reader.readAhead(['a', 'bad', 'b'])).resolves.toBeUndefined();
    expect(await reader.read('a')).toBe('a');
    expect(await reader.read('b')).toBe('b');
    await expect(reader.read('bad')).rejects.toThrow(SecretUnavailable);
    expect(calls).toBe(3);
  });

  it('never throws when the call throws synchronously', async () => {
    const reader = createSecretReader(
      () => {
        throw new Error('at once');
      },
      () => 0,
    );
    await expect(reader.readAhead(['a'])).resolves.toBeUndefined();
  });
});

describe('parseSecret', () => {
  it('reads an object', () => {
    expect(parseSecret('{"token":"t"}')).toEqual({ token: 't' });
  });

  it.each(['', ' ', 'null', '[]', '"text"', '42', '{"token":', 'plain-text'])(
    'is not ready with %j',
    (stored) => {
      expect(() => parseSecret(stored)).toThrow(SecretNotReady);
    },
  );

  it('throws only SecretNotReady, and never quotes the secret', () => {
    fc.assert(
      fc.property(fc.string(), (stored) => {
        const text = `CANARY${stored}`;
        expect(() => parseSecret(text)).toThrow(SecretNotReady);
        expect(() => parseSecret(text)).not.toThrow('CANARY');
      }),
    );
  });
});

describe("the SDK's client, as functions/aws.ts sets it up", () => {
  const PATIENCE_MS = 15_000;
  const ERRORS: Record<string, [number, string]> = {
    throttled: [400, 'ThrottlingException'],
    'too-many': [429, 'TooManyRequestsException'],
    failing: [500, 'InternalServiceError'],
    unavailable: [503, 'ServiceUnavailable'],
    denied: [400, 'AccessDeniedException'],
    deleted: [400, 'InvalidRequestException'],
    absent: [400, 'ResourceNotFoundException'],
    undecryptable: [400, 'DecryptionFailure'],
  };
  const calls = new Map<string, number>();
  const results = new Map<string, string>();
  let server: Server;

  /** Answers the first call for each secret. Later answers depend on the secret's name. */
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { SecretId } = JSON.parse(await text(request));
    const call = (calls.get(SecretId) ?? 0) + 1;
    calls.set(SecretId, call);
    const head = { 'content-type': 'application/x-amz-json-1.1' };
    if (call === 1) {
      response.writeHead(200, head).end(JSON.stringify({ Name: SecretId, SecretString: 'v1' }));
      return;
    }
    if (SecretId === 'silent') return;
    if (SecretId === 'stalled') {
      response.writeHead(200, head).write('{"SecretString":"v');
      return;
    }
    if (SecretId === 'reset') {
      request.socket.destroy();
      return;
    }
    if (SecretId === 'garbled') {
      response.writeHead(200, head).end('<html>a proxy said this</html>');
      return;
    }
    const [status, __type] = ERRORS[SecretId] ?? [500, 'Unexpected'];
    response.writeHead(status, head).end(JSON.stringify({ __type, message: 'said by AWS' }));
  }

  /** The result of the second read of a secret: the old value, or an error. */
  async function readTwice(reader: SecretReader, id: string): Promise<void> {
    const seen = await reader.read(id);
    const outcome = reader.readAgain(id, seen).catch((error: unknown) => {
      return error instanceof SecretUnavailable ? 'unavailable' : `${error}`;
    });
    results.set(id, await Promise.race([outcome, wait(PATIENCE_MS, 'still waiting', { ref: false })]));
  }

  beforeAll(async () => {
    server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env.AWS_REGION = 'eu-west-2';
    process.env.AWS_ACCESS_KEY_ID = 'test';
    process.env.AWS_SECRET_ACCESS_KEY = 'test';
    const { secrets } = await import('../../functions/aws.ts');
    const ids = [...Object.keys(ERRORS), 'silent', 'stalled', 'reset', 'garbled'];
    await Promise.all(ids.map((id) => readTwice(secrets, id)));
  }, 2 * PATIENCE_MS);
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(['throttled', 'too-many', 'failing', 'unavailable', 'silent', 'stalled', 'reset'])(
    'calls twice and then uses the old value when Secrets Manager is %s',
    (id) => {
      expect(results.get(id)).toBe('v1');
      expect(calls.get(id)).toBe(1 + 2);
    },
  );

  it('uses the old value when something else than Secrets Manager answers', () => {
    expect(results.get('garbled')).toBe('v1');
  });

  it.each(['denied', 'deleted', 'absent', 'undecryptable'])(
    'calls once, and the value is removed, when the secret is %s',
    (id) => {
      expect(results.get(id)).toBe('unavailable');
      expect(calls.get(id)).toBe(1 + 1);
    },
  );
});
