export interface Shape {
  readonly name: string;
  readonly points: ReadonlyArray<[number, number]>;
  readonly colour?: string;
}

/** Area of any shape by the shoelace formula. */
export function area(shape: Shape): number {
  return Math.abs(shape.points.reduce((sum, [x, y], i, all) => {
    const [nx, ny] = all[(i + 1) % all.length];
    return sum + x * ny - nx * y;
  }, 0)) / 2;
}

export abstract class Circle implements Shape {
  constructor(public readonly name: string, protected readonly radius: number) {}
  abstract draw(context: CanvasRenderingContext2D): void;
}
