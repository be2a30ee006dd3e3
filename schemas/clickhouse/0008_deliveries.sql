-- Where each errand of a scheduled close stands: to close a month, or to tell a
-- destination of it. Version 0 is of no version but of the month; cause says why
-- it was not closed. The last step counts; the window lets one process in at
-- each, and of two rows of one step that of the smallest (time, id) is the step.
CREATE TABLE IF NOT EXISTS {{.Table "deliveries"}} (
  market      String,
  panel       String,
  month       Date32,
  version     UInt32,
  cause       String,
  destination String,
  step        UInt32,
  id          String,
  state       String,
  until       DateTime64(9, 'UTC'),
  tries       UInt32,
  since       DateTime64(9, 'UTC'),
  time        DateTime64(9, 'UTC'),
  holder      String,
  text        String,
  error       String
) {{.Engine "MergeTree" "deliveries"}}
ORDER BY (market, panel, month, version, cause, destination, step, time, id)
{{.Settings "once"}};

{{.Distributed "deliveries" "0"}};
