/** The schedules that the editor offers in words, and the cron lines they stand for. */

export const rhythms = { daily: "Every day", weekdays: "Monday to Friday", weekly: "Once a week", custom: "Own cron line" };

export type Rhythm = keyof typeof rhythms;

export const dayNames = { mon: "Monday", tue: "Tuesday", wed: "Wednesday", thu: "Thursday", fri: "Friday", sat: "Saturday", sun: "Sunday" };

export type Day = keyof typeof dayNames;

export interface Plan {
  rhythm: Rhythm;
  time: string;
  day: Day;
  line: string;
}

export function read(line: string): Plan {
  const [minute = "", hour = "", ...rest] = line.trim().split(/\s+/);
  const plan: Plan = { rhythm: "custom", time: "02:30", day: "mon", line };
  if (!/^\d{1,2}$/.test(minute) || !/^\d{1,2}$/.test(hour) || rest.slice(0, 2).join(" ") !== "* *") return plan;
  plan.time = `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}`;
  const days = rest[2] ?? "";
  if (days === "*") plan.rhythm = "daily";
  else if (days === "mon,tue,wed,thu,fri" || days === "mon-fri" || days === "1-5") plan.rhythm = "weekdays";
  else if (days in dayNames) return { ...plan, rhythm: "weekly", day: days as Day };
  return plan;
}

export function write(plan: Plan): string {
  const [hour = "2", minute = "30"] = plan.time.split(":");
  const at = `${Number(minute)} ${Number(hour)} * *`;
  if (plan.rhythm === "daily") return `${at} *`;
  if (plan.rhythm === "weekdays") return `${at} mon-fri`;
  if (plan.rhythm === "weekly") return `${at} ${plan.day}`;
  return plan.line.trim();
}
