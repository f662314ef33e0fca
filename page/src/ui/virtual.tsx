// A list of rows of any height, of which those near the window are drawn. Ten thousand rows cost as much as thirty.
//
// A row that was never drawn counts as `estimate` pixels; its real height replaces that once it is seen. While one looks
// at the end of the list, it stays at the end.

import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks';

const MARGIN_PIXELS = 600; // drawn above and below the window
const END_PIXELS = 40; // nearer to the end than this is at the end

interface Props {
  count: number;
  estimate: number;
  keyOf: (index: number) => string;
  row: (index: number) => ComponentChildren;
  label: string;
}

/** Heights by index, and where each row begins. */
class Heights {
  private known: (number | undefined)[] = [];
  private starts: number[] = [0];

  constructor(private readonly estimate: number) {}

  set(index: number, height: number): boolean {
    if (this.known[index] === height) return false;
    this.known[index] = height;
    this.starts.length = Math.min(this.starts.length, index + 1);
    return true;
  }

  startOf(index: number): number {
    for (let at = this.starts.length; at <= index; at++)
      this.starts[at] = this.starts[at - 1]! + (this.known[at - 1] ?? this.estimate);
    return this.starts[index]!;
  }

  /** The row at a distance from the top. */
  at(distance: number, count: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.startOf(middle + 1) <= distance) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function VirtualList({ count, estimate, keyOf, row, label }: Props) {
  const [, redraw] = useReducer<number, void>((version) => version + 1, 0);
  const scroller = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const heights = useMemo(() => new Heights(estimate), [estimate]);
  const observer = useMemo(
    () =>
      new ResizeObserver((entries) => {
        let isNew = false;
        for (const { target, borderBoxSize } of entries) {
          const index = Number((target as HTMLElement).dataset['index']);
          if (target.isConnected && heights.set(index, borderBoxSize[0]!.blockSize)) isNew = true;
        }
        if (isNew) redraw();
      }),
    [heights],
  );

  const element = scroller.current;
  const top = element?.scrollTop ?? 0;
  const height = element?.clientHeight ?? 800;
  const total = heights.startOf(count);
  const from = isAtEnd.current ? Math.max(0, total - height) : top;
  const first = heights.at(Math.max(0, from - MARGIN_PIXELS), count);
  const last = Math.min(count, heights.at(from + height + MARGIN_PIXELS, count) + 1);

  useLayoutEffect(() => {
    if (isAtEnd.current && scroller.current) scroller.current.scrollTop = scroller.current.scrollHeight;
  });

  const rows = [];
  for (let index = first; index < last; index++) {
    rows.push(
      <div key={keyOf(index)} data-index={index} role="listitem" ref={(it) => void (it && observer.observe(it))}>
        {row(index)}
      </div>,
    );
  }
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current!;
    isAtEnd.current = scrollHeight - scrollTop - clientHeight < END_PIXELS;
    redraw();
  };
  return (
    <div ref={scroller} class="virtual" tabIndex={0} role="region" aria-label={label} onScroll={scrolled}>
      <div style={{ blockSize: `${total}px` }}>
        <div role="list" style={{ transform: `translateY(${heights.startOf(first)}px)` }}>{rows}</div>
      </div>
    </div>
  );
}
