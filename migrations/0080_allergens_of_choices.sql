-- A sauce or a garnish contains what its dish does not. Declared with the answer, and none is assumed: who keeps the menu says so.
alter table menu_option_choices
    -- by their code in `domain`, as those of `menu_items`
    add column allergens text[] not null default '{}';
