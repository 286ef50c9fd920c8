import {
  GetFunctionConfigurationCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteSecretCommand,
  GetSecretValueCommand,
  RestoreSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import type { Behaviour } from '../polyai-stand-in.ts';
import type { ConsoleParts } from './parts.ts';
import type { PolyAIWeather, WeatherView } from './view.ts';

const BEHAVIOURS: Record<PolyAIWeather, Behaviour | undefined> = {
  up: undefined,
  slow: { delayMs: 4000 },
  throttled: {
    status: 429,
    headers: { 'retry-after': '20' },
    body: { success: false, error: 'too many requests', error_code: 'RATE_LIMITED' },
  },
  error: { status: 500, body: { success: false, error: 'internal error', error_code: 'INTERNAL_ERROR' } },
  wrong_key: undefined,
  unconfirmed: { status: 200, body: { success: false } },
  hanging: { hang: true },
};

export type Weather = ReturnType<typeof createWeather>;

/** The switches that make PolyAI, Secrets Manager or the worker fail on this machine. */
export function createWeather({ standIn, aws, deployment }: ConsoleParts) {
  const state: WeatherView = {
    ...(standIn && { polyai: 'up' as const }),
    secretsFail: false,
    workerOff: false,
  };
  const keys = standIn && { ...standIn.keys };

  function polyai(next: PolyAIWeather): void {
    if (!standIn || !keys) return;
    const behaviour = BEHAVIOURS[next];
    standIn.behave(behaviour && (() => behaviour));
    standIn.keys = next === 'wrong_key' ? { apiKey: 'another-key', token: 'another-token' } : { ...keys };
    state.polyai = next;
  }

  /** A secret that waits for its deletion cannot be read. The receiver starts again, because it keeps secrets in memory. */
  async function secretsFail(fails: boolean): Promise<void> {
    for (const SecretId of Object.values(deployment.secrets.connections)) {
      if (fails) await aws.secretsManager.send(new GetSecretValueCommand({ SecretId }));
      const command = fails
        ? new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 })
        : new RestoreSecretCommand({ SecretId });
      await aws.secretsManager.send(command);
    }
    await restartReceiver();
    state.secretsFail = fails;
  }

  /** Setting a function's time-out, to the same value too, ends its running environments. */
  async function restartReceiver(): Promise<void> {
    const FunctionName = deployment.functions.receive;
    const { Timeout } = await aws.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    await aws.lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout }));
  }

  async function workerOff(isOff: boolean): Promise<void> {
    const FunctionName = deployment.functions.close;
    const { EventSourceMappings = [] } = await aws.lambda.send(
      new ListEventSourceMappingsCommand({ FunctionName }),
    );
    for (const { UUID } of EventSourceMappings)
      await aws.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: !isOff }));
    state.workerOff = isOff;
  }

  return { state, polyai, secretsFail, workerOff };
}
