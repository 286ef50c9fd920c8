import type { Stack } from 'aws-cdk-lib';
import { ENVIRONMENT } from '../../functions/environment.ts';
import { type References, resolve, resourcesOf } from '../signals/template.ts';
import { signalsOf } from '../support/signals.ts';

type LambdaProperties = {
  LoggingConfig: { LogGroup: unknown };
  Environment: { Variables: Record<string, string> };
};

export type Synthesised = ReturnType<typeof readStack>;

/**
 * What the simulated account must know of a stack, read from its template: where a function logs and under which
 * service, the form of the access log, and the names that alarms and filters refer to.
 */
export function readStack(stack: Stack) {
  const { template, references } = signalsOf(stack);

  /** The logical id of the only resource of a type whose id begins like this. */
  function idOf(type: string, prefix: string): string {
    const found = resourcesOf(template, type).filter(([id]) => id.replace(/[0-9A-F]{8}$/, '') === prefix);
    if (found.length !== 1) throw new Error(`${found.length} resources of ${type} are called ${prefix}.`);
    return found[0]?.[0] ?? '';
  }

  return {
    template,
    references,
    idOf,
    /** @param name as in `Close` */
    functionOf(name: string) {
      const id = idOf('AWS::Lambda::Function', `${name}Function`);
      const properties = template.Resources[id]?.Properties as unknown as LambdaProperties;
      return {
        id,
        logGroup: String(resolve(properties.LoggingConfig.LogGroup, references)),
        service: properties.Environment.Variables[ENVIRONMENT.service],
      };
    },
    accessLog: accessLogOf(template, references),
  };
}

/** @returns a function that writes a line of the access log in the stage's own format */
function accessLogOf(template: Parameters<typeof resourcesOf>[0], references: References) {
  const [[, stage] = ['', {}]] = resourcesOf(template, 'AWS::ApiGatewayV2::Stage');
  const { Format, DestinationArn } = stage.AccessLogSettings as { Format: string; DestinationArn: unknown };
  return {
    logGroup: String(resolve(DestinationArn, references)),
    /** @throws for a variable of the format that has no value here */
    write: (values: Record<string, string>): string =>
      Format.replace(/\$context\.([A-Za-z.]+)/g, (_, name: string) => {
        const value = values[name];
        if (value === undefined) throw new Error(`The access log has $context.${name}. Give it a value.`);
        return value;
      }),
  };
}
