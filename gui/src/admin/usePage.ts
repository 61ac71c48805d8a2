import { useEffect, useState } from "preact/hooks";
import { message } from "../api/http";
import { noticeRefusal } from "./session";

/** A page of something long, fetched again when filter or place change; typing waits for a pause. */
export function usePage<F, P>(fetchPage: (filter: F, limit: number, offset: number) => Promise<P>, start: F, size: number) {
  const [filter, setFilter] = useState(start);
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<P | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      fetchPage(filter, size, offset).then(
        (value) => {
          if (!current) return;
          setPage(value);
          setError("");
        },
        (problem: unknown) => {
          noticeRefusal(problem);
          if (current) setError(message(problem));
        },
      );
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [filter, offset]);
  const choose = (next: F) => {
    setFilter(next);
    setOffset(0);
  };
  return { filter, choose, offset, setOffset, page, setPage, error, filtered: filter !== start };
}
