import { closest } from '../text/suggest.ts';
import type { JsonObject } from '../wire/message.ts';
import { isObject } from '../wire/message.ts';
import type { ToolDefinition, ValueSchema } from './definitions.ts';

/** What is wrong with the arguments of a call, in one sentence; `undefined` when they are as the tool has them. */
export function argumentProblem(
  { name: tool, inputSchema }: ToolDefinition,
  args: JsonObject,
): string | undefined {
  const { properties } = inputSchema;
  for (const [key, value] of Object.entries(args)) {
    const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (schema === undefined) return unknownArgument(tool, key, Object.keys(properties));
    if (!fits(schema, value))
      return `${JSON.stringify(key)} must be ${expectation(schema)} (got ${shown(value)})`;
  }
  return undefined;
}

function unknownArgument(tool: string, key: string, known: readonly string[]): string {
  if (tool === 'mcp_dev_reload' && ['command', 'args', 'env'].includes(key)) {
    return `"${key}" is only accepted when mcp-dev was started with --allow-commands`;
  }
  if (tool === 'mcp_dev_reload' && key === 'variant') {
    return 'this server has no variants; its configuration can name some under "variants"';
  }
  const meant = closest(key, known);
  const advice =
    meant === undefined ? `it has ${known.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`;
  return `${tool} has no argument ${JSON.stringify(key)}; ${advice}`;
}

function fits(schema: ValueSchema, value: unknown): boolean {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string' && (schema.enum?.includes(value) ?? true);
    case 'integer':
      return Number.isInteger(value) && Number(value) >= schema.minimum && Number(value) <= schema.maximum;
    case 'array':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'object': {
      const { additionalProperties: of } = schema;
      return (
        isObject(value) && (of === true || Object.values(value).every((item) => typeof item === 'string'))
      );
    }
  }
}

function expectation(schema: ValueSchema): string {
  switch (schema.type) {
    case 'string':
      return schema.enum === undefined ? 'a string' : `one of ${schema.enum.join(', ')}`;
    case 'integer':
      return `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'array':
      return 'a list of strings';
    case 'object':
      return schema.additionalProperties === true ? 'an object' : 'an object of strings';
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
