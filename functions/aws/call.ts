import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest, type HttpResponse } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import { createClock } from './clock.ts';
import { environmentCredentials } from './credentials.ts';
import { regionOf } from './endpoint.ts';
import { ATTEMPTS, TIME_LIMITS } from './limits.ts';
import { createRetry } from './retry.ts';
import { ServiceError } from './service-error.ts';

/** A service that speaks AWS's JSON protocol. */
export type Service = {
  /** The name in the signature. */
  name: 'secretsmanager' | 'sqs';
  /** What comes before the operation in `x-amz-target`. */
  target: string;
  jsonVersion: '1.0' | '1.1';
  /** Headers that every request has besides. */
  headers?: Record<string, string>;
};

/** Calls an operation at an address and resolves with the answer's JSON. */
export type Call = <Output>(operation: string, input: object, endpoint: URL) => Promise<Output>;

/**
 * Creates a client of a service from parts of AWS's SDK: its signer, its HTTP handler and its retries. Requests, time
 * limits, attempts and names of errors are those of the SDK's clients, which are more than ten times the size. A CRM
 * waits while a function loads them.
 *
 * @returns a function that throws `ServiceError` when the service refuses or fails, and the handler's error without
 *   an answer
 */
export function createCall(service: Service): Call {
  const handler = new NodeHttpHandler(TIME_LIMITS);
  const retry = createRetry(ATTEMPTS);
  const clock = createClock(Date.now);
  const signer = new SignatureV4({
    service: service.name,
    region: async () => regionOf(process.env),
    credentials: environmentCredentials,
    sha256: Sha256,
  });

  return async function call<Output>(operation: string, input: object, endpoint: URL): Promise<Output> {
    const request = toRequest(service, operation, JSON.stringify(input), endpoint);
    return retry(async (attempt) => {
      request.headers['amz-sdk-request'] = `attempt=${attempt}; max=${ATTEMPTS}`;
      const signingDate = clock.date();
      const signed = await signer.sign(request, { signingDate });
      const { response } = await handler.handle(new HttpRequest(signed));
      return readAnswer(response, clock.learn(response.headers, signingDate)) as Output;
    });
  };
}

function toRequest(service: Service, operation: string, body: string, endpoint: URL): HttpRequest {
  const { protocol, hostname, host, port, pathname } = endpoint;
  return new HttpRequest({
    method: 'POST',
    protocol,
    hostname,
    ...(port && { port: Number(port) }),
    path: pathname.endsWith('/') ? pathname : `${pathname}/`,
    headers: {
      'content-type': `application/x-amz-json-${service.jsonVersion}`,
      'x-amz-target': `${service.target}.${operation}`,
      ...service.headers,
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'polyai-chat-closer',
      host,
      ...traceHeader(process.env),
      'amz-sdk-invocation-id': randomUUID(),
    },
    body,
  });
}

/**
 * By this header Lambda recognises a loop of functions and queues.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
 */
function traceHeader({ AWS_LAMBDA_FUNCTION_NAME, _X_AMZN_TRACE_ID }: NodeJS.ProcessEnv) {
  return AWS_LAMBDA_FUNCTION_NAME && _X_AMZN_TRACE_ID ? { 'X-Amzn-Trace-Id': _X_AMZN_TRACE_ID } : {};
}

async function readAnswer(response: HttpResponse, isClockCorrected: boolean): Promise<unknown> {
  const answer = await readJson(response);
  if (response.statusCode < 300) return answer;
  throw new ServiceError(response, answer, isClockCorrected);
}

/** @throws {Error} with the status, by which a gateway's error in HTML is attempted again */
async function readJson({ body, statusCode }: HttpResponse): Promise<Record<string, unknown>> {
  try {
    const answer = await text(body);
    return answer === '' ? {} : JSON.parse(answer);
  } catch (cause) {
    // The parser's message would quote the answer, which may hold a secret.
    const error =
      cause instanceof SyntaxError ? new SyntaxError('The answer is not JSON.') : (cause as Error);
    throw Object.assign(error, { $metadata: { httpStatusCode: statusCode } });
  }
}
