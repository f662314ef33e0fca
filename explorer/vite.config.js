import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

const at = (file) => fileURLToPath(new URL(file, import.meta.url));

// `build.license` sees only what the page itself bundles: not the workers' code, and not what
// Monaco and its icon font were made from.
const notices = {
  name: 'notices',
  generateBundle() {
    const files = ['monaco-editor/ThirdPartyNotices.txt', 'picomatch-browser/LICENSE'];
    const source = files.map((file) => readFileSync(at(`node_modules/${file}`), 'utf8')).join('\n');
    this.emitFile({ type: 'asset', fileName: 'NOTICES-workers.txt', source });
  },
};

export default defineConfig({
  base: './',
  plugins: [notices],
  resolve: {
    alias: { 'prettier/parser-babel': at('json.js'), 'prettier/plugins/estree': at('json.js') },
  },
  build: {
    chunkSizeWarningLimit: 2000, // kB; Monaco is one large chunk
    license: { fileName: 'NOTICES.md' },
    rolldownOptions: {
      checks: { moduleLevelDirective: false }, // "use client" is for servers
      output: { keepNames: true }, // an icon is titled by the name of its component
    },
  },
  experimental: {
    // The page stands at <prefix>/graphql and its assets at <prefix>/explorer/assets: relative
    // addresses keep both working under any prefix.
    renderBuiltUrl: (file, { hostType }) =>
      hostType === 'html' ? `explorer/${file}` : { relative: true },
  },
});
