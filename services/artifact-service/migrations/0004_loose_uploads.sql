-- MLflow's clients say how many parts there will be, and how long each is only by sending it: such
-- an upload is loose, its `size` counts parts, and `part_size` is 1.
ALTER TABLE uploads ADD COLUMN loose boolean NOT NULL DEFAULT false;
