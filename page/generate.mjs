// Writes src/api/generated.ts: the operations of src/api/operations as typed texts, checked against the schema.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import * as documents from '@graphql-codegen/typed-document-node';
import { parse } from 'graphql';

const at = (file) => fileURLToPath(new URL(file, import.meta.url));
const FOLDER = at('src/api/operations');

const source = await codegen({
  filename: at('src/api/generated.ts'),
  schema: parse(readFileSync(at('../schema/schema.graphql'), 'utf8')),
  documents: readdirSync(FOLDER)
    .sort()
    .map((name) => ({ location: name, document: parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) })),
  config: {
    documentMode: 'string',
    enumsAsTypes: true,
    onlyOperationTypes: true,
    useTypeImports: true,
    skipTypename: true,
    dedupeFragments: true,
    scalars: { ID: 'string', Date: 'string', DateTime: 'string', JSON: 'unknown' },
  },
  plugins: [{ operations: {} }, { documents: {} }],
  pluginMap: { typescript, operations, documents },
});

writeFileSync(at('src/api/generated.ts'), `// Written by generate.mjs from src/api/operations and schema/schema.graphql.\n${source}`);
