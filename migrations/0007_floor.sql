-- The plan as the house draws it: how large a table is, how it is turned, and who changed the plan last.

alter table rooms
    -- removed from the plan; tables that stood there still name it
    add column active boolean not null default true;
alter table rooms drop constraint rooms_name_key;
create unique index one_active_room_per_name on rooms (name) where active;

-- What was drawn before sizes were known stays inside the walls.
update tables set x = greatest(11, least(89, x)), y = greatest(9, least(91, y));
alter table tables
    -- hundredths of the room's width and height, around x and y
    add column width smallint not null default 22 check (width between 10 and 60),
    add column height smallint not null default 18 check (height between 10 and 60),
    -- degrees, clockwise
    add column rotation smallint not null default 0 check (rotation between 0 and 359),
    -- removed from the plan; orders and tickets still name it, so it is never deleted
    add column active boolean not null default true,
    add constraint table_stands_in_its_room
        check (2 * x >= width and 2 * x + width <= 200 and 2 * y >= height and 2 * y + height <= 200);
alter table tables drop constraint tables_name_key;
-- The name of a table that is gone may be given again.
create unique index one_active_table_per_name on tables (name) where active;

-- One row. Whoever saves the plan says which version was being changed, and holds this row meanwhile: two editors never erase each other.
create table floor_plan (
    the_one boolean primary key default true check (the_one),
    version bigint not null default 1 check (version > 0)
);
insert into floor_plan default values;
grant select, update on floor_plan to comptoir_app;
-- Rooms and tables leave the plan, never the database.
revoke delete on rooms, tables from comptoir_app;
