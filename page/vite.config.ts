import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { target: 'es2022', assetsInlineLimit: 0, license: { fileName: 'NOTICES.md' } },
  experimental: {
    // The page stands at <prefix>/ and its assets at <prefix>/page/assets: relative addresses keep both working
    // under any prefix.
    renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `page/${file}` : { relative: true }),
  },
  // `npm run dev` with a server of Signalbox beside it.
  server: { proxy: { '/graphql': { target: 'http://127.0.0.1:8000', ws: true } } },
});
