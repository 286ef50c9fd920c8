import { type HttpResponse, loadJsonRpcErrorCode } from '@smithy/core/protocols';
import { ChatCloserError } from '../error.ts';

/** What the SDK's errors have beside name and message. The retries and `createSecretReader` read it. */
type Metadata = { httpStatusCode: number; clockSkewCorrected?: boolean };

/** An error that an AWS service answered, with the names and fields of the SDK's. */
export class ServiceError extends ChatCloserError {
  override name = 'ServiceError';
  readonly $fault: 'client' | 'server';
  readonly $metadata: Metadata;
  /** Not enumerable, so that an inspected error does not show it. */
  declare readonly $response: HttpResponse;

  /** @param body the answer's JSON */
  constructor(response: HttpResponse, body: Record<string, unknown>, isClockCorrected: boolean) {
    super(String(body.message ?? body.Message ?? 'UnknownError'));
    this.name = nameOf(response, body);
    this.$fault = response.statusCode < 500 ? 'client' : 'server';
    this.$metadata = {
      httpStatusCode: response.statusCode,
      ...(isClockCorrected && { clockSkewCorrected: true }),
    };
    Object.defineProperty(this, '$response', { value: response });
  }
}

/**
 * The name of an error. SQS also sends the code of its older protocol. The SDK takes that code for an error that is not
 * in its model; the code of one that is has a dot, and the type has its name.
 */
function nameOf(response: HttpResponse, body: Record<string, unknown>): string {
  const [code = ''] = (response.headers['x-amzn-query-error'] ?? '').split(';');
  if (code && !code.includes('.')) return code;
  return loadJsonRpcErrorCode(response, body) ?? 'Unknown';
}
