import { Icon } from "../ui/Icon";

interface Props {
  value: number | null;
  onPick: (value: number) => void;
}

export function Stars({ value, onPick }: Props) {
  return (
    <div class="stars" role="group" aria-label="Stars">
      {[1, 2, 3, 4, 5].map((n) => (
        <button
          key={n}
          type="button"
          class={n <= (value ?? 0) ? "star on" : "star"}
          aria-label={n === 1 ? "1 star" : `${n} stars`}
          aria-pressed={n === value}
          onClick={() => onPick(n)}
        >
          <Icon name="star" filled={n <= (value ?? 0)} />
        </button>
      ))}
    </div>
  );
}
