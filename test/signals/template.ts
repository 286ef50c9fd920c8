export type Template = {
  Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
};

/** What intrinsic functions give: `{ MyQueue: "name", "MyQueue.Arn": "arn:…", "AWS::StackName": "stack" }`. */
export type References = Record<string, string>;

/** The resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): [id: string, Record<string, unknown>][] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, { Properties = {} }]) => [id, Properties]);
}

/**
 * Replaces `Ref`, `Fn::GetAtt` and `Fn::Join` in a value of a CloudFormation template.
 *
 * @throws for a reference that is not in the table, and for every other intrinsic function.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
 */
export function resolve(value: unknown, references: References): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, references));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  if (entries.length === 1 && (name === 'Ref' || name?.startsWith('Fn::'))) {
    return call(name, argument, references);
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, resolve(item, references)]));
}

function call(name: string, argument: unknown, references: References): unknown {
  if (name === 'Ref') return lookUp(String(argument), references);
  if (name === 'Fn::GetAtt') {
    return lookUp(Array.isArray(argument) ? argument.join('.') : String(argument), references);
  }
  if (name !== 'Fn::Join') throw new Error(`The intrinsic function ${name} is not supported.`);
  const [separator, parts] = argument as [string, unknown];
  return (resolve(parts, references) as unknown[]).join(separator);
}

function lookUp(key: string, references: References): string {
  const found = Object.hasOwn(references, key) ? references[key] : undefined;
  if (found === undefined) throw new Error(`The template refers to ${key}. Add it to the references.`);
  return found;
}
