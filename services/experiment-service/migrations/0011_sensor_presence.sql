-- One row is a sensor that has ever sent, and whether it was found offline at the last look: what is
-- told of is a change of this row. since is when it was found so.
CREATE TABLE sensor_presence (
    sensor_id  uuid         PRIMARY KEY,
    offline    boolean      NOT NULL,
    since      timestamptz  NOT NULL,
    CONSTRAINT sensor_presence_sensor_fkey FOREIGN KEY (sensor_id) REFERENCES sensors (id)
);
