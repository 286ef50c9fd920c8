import { describe, expect, it } from 'vitest';
import { isHealthy } from '../../../functions/close/canary-health.ts';
import { judge } from '../../../functions/close/outcome.ts';
import type { PolyAIAnswer } from '../../../functions/polyai.ts';

const answer = (status: number, errorCode?: string, success = false): PolyAIAnswer => ({
  status,
  success,
  ...(errorCode && { errorCode }),
});

describe('the canary is healthy when PolyAI', () => {
  it.each([
    ['does not know the conversation', answer(404, 'CONVERSATIONS_NOT_FOUND')],
    ['answers 404 without a code', answer(404)],
    ['says that the conversation is over', answer(410)],
    ['answers 400 with the code of a conversation that is over', answer(400, 'CHAT_TIMEOUT')],
    ['answers 400 with any other code', answer(400, 'CONVERSATIONS_VALIDATION_FAILED')],
    ['claims to have closed it', answer(200, undefined, true)],
  ])('%s', (_, given) => {
    expect(isHealthy(judge(given).outcome, given)).toBe(true);
  });
});

describe('the canary is not healthy when PolyAI', () => {
  it.each<[string, PolyAIAnswer]>([
    ['answers 400 without a code', answer(400)],
    ['answers 401', answer(401)],
    ['answers 403 with a code', answer(403, 'AUTH_USER_INVALID_TOKEN')],
    ['does not know the project', answer(404, 'PROJECT_NOT_FOUND')],
    ['does not know the account', answer(404, 'ACCOUNT_NOT_FOUND')],
    ['redirects', answer(302)],
    ['answers 422 with a code', answer(422, 'SCHEMA_VALIDATION_FAILED')],
    ['answers 429', answer(429)],
    ['answers 500 with a code', answer(500, 'INTERNAL')],
    ['answers 200 without success', answer(200)],
    ['does not answer', { failure: 'no answer from PolyAI within 10 s' }],
  ])('%s', (_, given) => {
    expect(isHealthy(judge(given).outcome, given)).toBe(false);
  });

  it.each(['unavailable', 'unknown_target'] as const)('was not called: %s', (outcome) => {
    expect(isHealthy(outcome, undefined)).toBe(false);
  });
});
