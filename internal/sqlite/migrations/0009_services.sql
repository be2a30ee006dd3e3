-- How a service's accounts are counted ('exact' or ''), how long one keeps its
-- pseudonym ('none': until a rotation; '': a year), and its colour's slot, 0 for
-- none yet.
ALTER TABLE services ADD COLUMN census TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN epoch TEXT NOT NULL DEFAULT '';
ALTER TABLE services ADD COLUMN colour INTEGER NOT NULL DEFAULT 0;
