// What a run changed, file by file.

import { useSignal } from '@preact/signals';

import type { Run } from '../state/run';
import { Icon } from '../ui/icons';

const MAX_LINES = 400; // of one file, until one asks for more

interface FilePatch {
  path: string;
  lines: string[];
}

function split(patch: string): FilePatch[] {
  const files: FilePatch[] = [];
  for (const line of patch.split('\n')) {
    if (line.startsWith('diff --git ')) files.push({ path: line.replace(/^.* b\//, ''), lines: [] });
    else files.at(-1)?.lines.push(line);
  }
  return files;
}

export function Patch({ text, files }: { text: string; files: Run['changed'] }) {
  const patches = split(text);
  if (!patches.length) return <p class="patch calm">{files.map(({ path }) => path).join(', ') || 'No file was changed.'}</p>;
  return (
    <div class="patch" tabIndex={0} role="region" aria-label="Changes">
      {patches.map((file) => (
        <FileView key={file.path} file={file} />
      ))}
    </div>
  );
}

const KINDS: Record<string, string> = { '+': 'is-added', '-': 'is-removed', '@': 'is-place' };

function FileView({ file }: { file: FilePatch }) {
  const isWhole = useSignal(false);
  const start = file.lines.findIndex((line) => line.startsWith('@@'));
  const lines = start < 0 ? file.lines : file.lines.slice(start);
  const shown = isWhole.value ? lines : lines.slice(0, MAX_LINES);
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  return (
    <section class="file">
      <h3>
        <Icon name="file" size={14} />
        <span class="grow">{file.path}</span>
        <span class="added">+{count('+')}</span>
        <span class="removed">−{count('-')}</span>
      </h3>
      <pre tabIndex={0}>
        {shown.map((line, at) => (
          <span key={at} class={KINDS[line[0] ?? '']}>
            {line}
            {'\n'}
          </span>
        ))}
      </pre>
      {shown.length < lines.length && (
        <button class="button" onClick={() => (isWhole.value = true)}>
          {lines.length - shown.length} more lines
        </button>
      )}
    </section>
  );
}
