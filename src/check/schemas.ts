import type { Ajv } from 'ajv';
import { isObject, type JsonObject } from '../wire/message.ts';
import type { Era } from './report.ts';

/** Judges JSON Schemas, and values by them. */
export interface SchemaJudge {
  /** What is wrong with a tool's schemas; empty when nothing is. Each is a sentence without a full stop. */
  faults(tool: JsonObject): readonly string[];
  /** What is wrong with a value; undefined when it is valid. Only for a schema without faults. */
  invalid(schema: JsonObject, value: unknown): string | undefined;
}

/** Loads ajv. A schema without `$schema` is one of 2020-12; what another dialect says is judged by that one. */
export async function schemaJudge(era: Era): Promise<SchemaJudge> {
  const [{ Ajv2020 }, { Ajv2019 }, { Ajv }, formats] = await Promise.all([
    import('ajv/dist/2020.js'),
    import('ajv/dist/2019.js'),
    import('ajv'),
    import('ajv-formats'),
  ]);
  const addFormats = formats.default as unknown as (ajv: Ajv) => void;
  const validators = {
    '2020-12': new Ajv2020(OPTIONS),
    '2019-09': new Ajv2019(OPTIONS),
    'draft-07': new Ajv(OPTIONS),
  } as const;
  for (const ajv of Object.values(validators)) addFormats(ajv as Ajv);
  const validatorFor = (schema: JsonObject): Ajv | undefined => {
    const dialect = dialectOf(schema);
    return dialect && (validators[dialect] as Ajv);
  };

  const faultOf = (member: 'inputSchema' | 'outputSchema', schema: unknown): string | undefined => {
    if (schema === undefined) {
      return member === 'inputSchema'
        ? 'has no inputSchema: give it one, { "type": "object" } for a tool without arguments'
        : undefined;
    }
    if (!isObject(schema)) return `has an ${member} that is no JSON object: make it a JSON Schema`;
    const ajv = validatorFor(schema);
    if (ajv !== undefined) {
      const problem = compileProblem(ajv, schema);
      if (problem !== undefined)
        return `has an ${member} that is no valid JSON Schema, correct it: ${problem}`;
    }
    // Since 2026-07-28 a result may be any value.
    const mustBeObject = member === 'inputSchema' || era === 'legacy';
    if (mustBeObject && schema.type !== 'object') {
      return `has an ${member} without "type": "object" at its top (it has ${JSON.stringify(schema.type) ?? 'none'}): clients refuse it`;
    }
    return undefined;
  };

  return {
    faults: (tool) =>
      (['inputSchema', 'outputSchema'] as const).flatMap((member) => {
        const fault = faultOf(member, tool[member]);
        return fault === undefined ? [] : [`the tool ${JSON.stringify(tool.name)} ${fault}`];
      }),
    invalid(schema, value) {
      const ajv = validatorFor(schema);
      if (ajv === undefined || ajv.validate(schema, value)) return undefined;
      return ajv.errorsText(ajv.errors, { dataVar: 'structuredContent' });
    },
  };
}

// Schemas of two tools may have the same $id.
const OPTIONS = { strict: false, logger: false, addUsedSchema: false } as const;

/** Undefined for a dialect that is too old for us to judge. */
function dialectOf({ $schema }: JsonObject): '2020-12' | '2019-09' | 'draft-07' | undefined {
  if (typeof $schema !== 'string' || $schema.includes('/draft/2020-12/')) return '2020-12';
  if ($schema.includes('/draft/2019-09/')) return '2019-09';
  return $schema.includes('/draft-07/') ? 'draft-07' : undefined;
}

function compileProblem(ajv: Ajv, schema: JsonObject): string | undefined {
  if (!ajv.validateSchema(schema)) return ajv.errorsText(ajv.errors?.slice(0, 1), { dataVar: 'schema' });
  try {
    ajv.compile(schema);
    return undefined;
  } catch (error) {
    // A reference that leads nowhere, or a pattern that is no regular expression.
    return (error as Error).message;
  }
}
