import { execFileSync } from 'node:child_process';

/** An element of an XML document. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Directly in it. */
  readonly text: string;
}

const TO_JSON = `
import json, sys
import xml.etree.ElementTree as tree
def shape(e):
    text = (e.text or '') + ''.join(child.tail or '' for child in e)
    return {'name': e.tag, 'attributes': e.attrib, 'children': [shape(child) for child in e], 'text': text}
print(json.dumps(shape(tree.fromstring(sys.stdin.buffer.read()))))
`;

/** Reads a document with the XML parser of Python, which takes nothing that is not well-formed. */
export function parseXml(text: string): XmlElement {
  return JSON.parse(
    execFileSync('python3', ['-c', TO_JSON], { input: text, encoding: 'utf8' }),
  ) as XmlElement;
}

type Type = (value: string) => string | undefined;

const int: Type = (value) => (/^-?\d{1,9}$/.test(value) ? undefined : 'no int');
const decimal: Type = (value) => (/^-?\d+(\.\d+)?$/.test(value) ? undefined : 'no decimal');
const token: Type = (value) => (/^\S+( \S+)*$/.test(value) ? undefined : 'no token, or empty');
const string: Type = () => undefined;
const dateTime: Type = (value) =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(value) ? undefined : 'no time without zone and fractions';

interface ElementType {
  readonly required: Readonly<Record<string, Type>>;
  readonly optional: Readonly<Record<string, Type>>;
  /** The names of its children, each with a blank behind it. */
  readonly children: RegExp;
  readonly hasText: boolean;
}

const reason: ElementType = {
  required: { type: string },
  optional: { message: string },
  children: /^$/,
  hasText: true,
};
const output: ElementType = { required: {}, optional: {}, children: /^$/, hasText: true };

/** The schema of Ant's JUnit reports, as far as an aggregated report goes. Jenkins takes all of it. */
const TYPES: Readonly<Record<string, ElementType>> = {
  testsuites: { required: {}, optional: {}, children: /^(testsuite )*$/, hasText: false },
  testsuite: {
    required: {
      package: token,
      id: int,
      name: token,
      timestamp: dateTime,
      hostname: token,
      tests: int,
      failures: int,
      errors: int,
      time: decimal,
    },
    optional: { skipped: int },
    children: /^properties (testcase )*system-out system-err $/,
    hasText: false,
  },
  properties: { required: {}, optional: {}, children: /^(property )*$/, hasText: false },
  property: { required: { name: token, value: string }, optional: {}, children: /^$/, hasText: false },
  testcase: {
    required: { name: token, classname: token, time: decimal },
    optional: {},
    children: /^(skipped |error |failure )?$/,
    hasText: false,
  },
  skipped: { required: {}, optional: { message: string }, children: /^$/, hasText: true },
  error: reason,
  failure: reason,
  'system-out': output,
  'system-err': output,
};

/** What a JUnit report has against the schema, and counts that are not true. Empty when it is valid. */
export function junitFaults(root: XmlElement): readonly string[] {
  const wrongRoot = root.name === 'testsuites' ? [] : [`the root is ${root.name}`];
  return [...wrongRoot, ...elementFaults(root), ...root.children.flatMap(countFaults)];
}

function elementFaults(element: XmlElement): readonly string[] {
  const { name, attributes, children, text } = element;
  const type = TYPES[name];
  if (type === undefined) return [`${name} is unknown`];
  const faults: string[] = [];
  for (const key of Object.keys(type.required)) if (!(key in attributes)) faults.push(`${name} lacks ${key}`);
  for (const [key, value] of Object.entries(attributes)) {
    const check = type.required[key] ?? type.optional[key];
    const problem = check === undefined ? 'unknown' : check(value);
    if (problem !== undefined) faults.push(`${name} ${key}="${value}" is ${problem}`);
  }
  const names = children.map((child) => child.name);
  if (!type.children.test(names.map((one) => `${one} `).join('')))
    faults.push(`${name} holds ${names.join(' ')}`);
  if (!type.hasText && text.trim() !== '') faults.push(`${name} has text`);
  return [...faults, ...children.flatMap(elementFaults)];
}

function countFaults({ attributes, children }: XmlElement): readonly string[] {
  const cases = children.filter(({ name }) => name === 'testcase');
  const having = (kind: string) =>
    cases.filter((one) => one.children.some(({ name }) => name === kind)).length;
  const counted = {
    tests: cases.length,
    failures: having('failure'),
    errors: having('error'),
    skipped: having('skipped'),
  };
  return Object.entries(counted)
    .filter(([key, value]) => attributes[key] !== undefined && Number(attributes[key]) !== value)
    .map(([key, value]) => `testsuite says ${key}="${attributes[key]}", but has ${value}`);
}
