-- The demo restaurant: two rooms, twenty tables, a menu with its cellar. Numbers are fixed so that examples stay true.

insert into rooms (id, name, rank) values (1, 'Salle', 1), (2, 'Terrasse', 2);

insert into tables (id, name, room_id, seats, x, y, round) values
    (1, '1', 1, 4, 12, 14, false), (2, '2', 1, 2, 37, 14, true), (3, '3', 1, 2, 63, 14, true), (4, '4', 1, 4, 88, 14, false),
    (5, '5', 1, 4, 12, 38, false), (6, '6', 1, 4, 37, 38, false), (7, '7', 1, 4, 63, 38, false), (8, '8', 1, 4, 88, 38, false),
    (9, '9', 1, 6, 12, 62, false), (10, '10', 1, 4, 37, 62, true), (11, '11', 1, 4, 63, 62, true), (12, '12', 1, 4, 88, 62, false),
    (13, '13', 1, 8, 25, 86, false), (14, '14', 1, 4, 75, 86, false),
    (15, '15', 2, 4, 18, 20, true), (16, '16', 2, 4, 50, 20, true), (17, '17', 2, 4, 82, 20, true),
    (18, '18', 2, 2, 18, 65, true), (19, '19', 2, 4, 50, 65, false), (20, '20', 2, 6, 82, 65, false);

-- The large ones.
update tables set width = 34 where id = 13;
update tables set width = 26, x = 80 where id = 20;

insert into menu_items (id, kind, name, category, rank, price_cents, vat_rate, course, favourite, detail) values
    (1, 'dish', 'Soupe à l''oignon gratinée', 'Entrées', 101, 900, 1000, 1, true, null),
    (2, 'dish', 'Œuf mayonnaise', 'Entrées', 102, 650, 1000, 1, true, null),
    (3, 'dish', 'Poireaux vinaigrette', 'Entrées', 103, 750, 1000, 1, false, null),
    (4, 'dish', 'Terrine de campagne', 'Entrées', 104, 950, 1000, 1, false, 'Cornichons, pain grillé'),
    (5, 'dish', 'Foie gras mi-cuit', 'Entrées', 105, 1900, 1000, 1, true, 'Chutney de figues'),
    (6, 'dish', 'Escargots de Bourgogne', 'Entrées', 106, 1200, 1000, 1, false, 'Les six'),
    (7, 'dish', 'Salade de chèvre chaud', 'Entrées', 107, 1100, 1000, 1, false, null),
    (8, 'dish', 'Saumon gravlax', 'Entrées', 108, 1350, 1000, 1, false, 'Crème d''aneth'),
    (9, 'dish', 'Os à moelle', 'Entrées', 109, 1050, 1000, 1, false, 'Fleur de sel'),
    (10, 'dish', 'Velouté de potimarron', 'Entrées', 110, 850, 1000, 1, false, null),
    (11, 'dish', 'Entrecôte', 'Viandes', 202, 2900, 1000, 2, true, '300 g, frites maison'),
    (12, 'dish', 'Magret de canard', 'Viandes', 201, 2400, 1000, 2, true, 'Sauce au miel, pommes sarladaises'),
    (13, 'dish', 'Confit de canard', 'Viandes', 203, 2150, 1000, 2, false, null),
    (14, 'dish', 'Bœuf bourguignon', 'Viandes', 204, 1950, 1000, 2, true, null),
    (15, 'dish', 'Blanquette de veau', 'Viandes', 205, 2050, 1000, 2, false, null),
    (16, 'dish', 'Cassoulet', 'Viandes', 206, 2250, 1000, 2, false, null),
    (17, 'dish', 'Tartare de bœuf', 'Viandes', 207, 1850, 1000, 2, false, 'Au couteau'),
    (18, 'dish', 'Poulet rôti fermier', 'Viandes', 208, 1750, 1000, 2, false, null),
    (19, 'dish', 'Souris d''agneau', 'Viandes', 209, 2450, 1000, 2, false, '7 heures'),
    (20, 'dish', 'Andouillette 5A', 'Viandes', 210, 1800, 1000, 2, false, 'Sauce moutarde'),
    (21, 'dish', 'Ris de veau', 'Viandes', 211, 3200, 1000, 2, false, null),
    (22, 'dish', 'Bavette à l''échalote', 'Viandes', 212, 1900, 1000, 2, false, null),
    (23, 'dish', 'Sole meunière', 'Poissons', 301, 3400, 1000, 2, false, null),
    (24, 'dish', 'Dos de cabillaud', 'Poissons', 302, 2300, 1000, 2, true, 'Beurre blanc'),
    (25, 'dish', 'Bar grillé', 'Poissons', 303, 2700, 1000, 2, false, 'Fenouil'),
    (26, 'dish', 'Moules marinières', 'Poissons', 304, 1600, 1000, 2, false, 'Frites maison'),
    (27, 'dish', 'Saint-Jacques snackées', 'Poissons', 305, 2900, 1000, 2, false, null),
    (28, 'dish', 'Bouillabaisse', 'Poissons', 306, 3600, 1000, 2, false, null),
    (29, 'dish', 'Truite aux amandes', 'Poissons', 307, 2100, 1000, 2, false, null),
    (30, 'dish', 'Risotto aux cèpes', 'Végétarien', 401, 1900, 1000, 2, false, null),
    (31, 'dish', 'Ratatouille', 'Végétarien', 402, 1500, 1000, 2, false, 'Œuf parfait'),
    (32, 'dish', 'Gratin dauphinois', 'Végétarien', 403, 1400, 1000, 2, false, 'Salade verte'),
    (33, 'dish', 'Omelette aux herbes', 'Végétarien', 404, 1250, 1000, 2, false, null),
    (34, 'wine', 'Cahors 2018', 'Vins rouges', 701, 2800, 2000, 0, true, 'Sud-Ouest · bouteille 75 cl'),
    (35, 'wine', 'Madiran 2017', 'Vins rouges', 702, 3100, 2000, 0, false, 'Sud-Ouest · bouteille 75 cl'),
    (36, 'wine', 'Saint-Émilion 2016', 'Vins rouges', 703, 4600, 2000, 0, false, 'Bordeaux · bouteille 75 cl'),
    (37, 'wine', 'Pomerol 2015', 'Vins rouges', 704, 6800, 2000, 0, false, 'Bordeaux · bouteille 75 cl'),
    (38, 'wine', 'Gevrey-Chambertin 2017', 'Vins rouges', 705, 7200, 2000, 0, false, 'Bourgogne · bouteille 75 cl'),
    (39, 'wine', 'Morgon 2020', 'Vins rouges', 706, 2900, 2000, 0, false, 'Beaujolais · bouteille 75 cl'),
    (40, 'wine', 'Chinon 2019', 'Vins rouges', 707, 2600, 2000, 0, false, 'Loire · bouteille 75 cl'),
    (41, 'wine', 'Crozes-Hermitage 2019', 'Vins rouges', 708, 3400, 2000, 0, false, 'Rhône · bouteille 75 cl'),
    (42, 'wine', 'Châteauneuf-du-Pape 2016', 'Vins rouges', 709, 5900, 2000, 0, false, 'Rhône · bouteille 75 cl'),
    (43, 'wine', 'Côtes du Rhône, verre', 'Vins rouges', 710, 600, 2000, 0, true, 'Rhône 2021 · verre 14 cl'),
    (44, 'wine', 'Chablis 2020', 'Vins blancs', 721, 3600, 2000, 0, false, 'Bourgogne · bouteille 75 cl'),
    (45, 'wine', 'Sancerre 2021', 'Vins blancs', 722, 3800, 2000, 0, false, 'Loire · bouteille 75 cl'),
    (46, 'wine', 'Muscadet 2021', 'Vins blancs', 723, 2200, 2000, 0, false, 'Loire · bouteille 75 cl'),
    (47, 'wine', 'Meursault 2018', 'Vins blancs', 724, 7400, 2000, 0, false, 'Bourgogne · bouteille 75 cl'),
    (48, 'wine', 'Riesling 2019', 'Vins blancs', 725, 3000, 2000, 0, false, 'Alsace · bouteille 75 cl'),
    (49, 'wine', 'Sauternes 2014', 'Vins blancs', 726, 5200, 2000, 0, false, 'Bordeaux · bouteille 50 cl'),
    (50, 'wine', 'Jurançon moelleux 2018', 'Vins blancs', 727, 3300, 2000, 0, false, 'Sud-Ouest · bouteille 75 cl'),
    (51, 'wine', 'Bandol rosé 2022', 'Vins rosés', 741, 3500, 2000, 0, false, 'Provence · bouteille 75 cl'),
    (52, 'wine', 'Tavel 2022', 'Vins rosés', 742, 2700, 2000, 0, false, 'Rhône · bouteille 75 cl'),
    (53, 'wine', 'Champagne brut', 'Bulles', 751, 6500, 2000, 0, false, 'Bouteille 75 cl'),
    (54, 'dish', 'Croque-monsieur', 'Sur le pouce', 501, 1150, 1000, 2, false, 'Salade verte'),
    (55, 'dish', 'Burger du comptoir', 'Sur le pouce', 502, 1750, 1000, 2, false, 'Frites maison'),
    (56, 'dish', 'Planche mixte', 'Sur le pouce', 503, 1900, 1000, 1, false, 'Charcuterie et fromages'),
    (57, 'dish', 'Frites maison', 'Sur le pouce', 504, 500, 1000, 2, true, null),
    (58, 'dish', 'Salade verte', 'Sur le pouce', 505, 450, 1000, 2, false, null),
    (59, 'dish', 'Steak haché enfant', 'Sur le pouce', 506, 950, 1000, 2, false, 'Moins de 10 ans'),
    (60, 'dish', 'Assiette de fromages', 'Desserts', 601, 950, 1000, 3, false, 'Trois affineurs'),
    (61, 'dish', 'Crème brûlée', 'Desserts', 602, 800, 1000, 3, true, null),
    (62, 'dish', 'Mousse au chocolat', 'Desserts', 603, 750, 1000, 3, false, null),
    (63, 'dish', 'Tarte Tatin', 'Desserts', 604, 900, 1000, 3, false, 'Crème crue'),
    (64, 'dish', 'Île flottante', 'Desserts', 605, 700, 1000, 3, false, null),
    (65, 'dish', 'Profiteroles', 'Desserts', 606, 950, 1000, 3, false, null),
    (66, 'dish', 'Baba au rhum', 'Desserts', 607, 900, 1000, 3, false, null),
    (67, 'dish', 'Café gourmand', 'Desserts', 608, 850, 1000, 3, false, null),
    (68, 'dish', 'Sorbets du jour', 'Desserts', 609, 650, 1000, 3, false, 'Trois boules'),
    (71, 'drink', 'Expresso', 'Boissons', 801, 250, 1000, 0, true, null),
    (72, 'drink', 'Thé', 'Boissons', 802, 400, 1000, 0, false, null),
    (73, 'drink', 'Eau plate 75 cl', 'Boissons', 803, 450, 1000, 0, true, null),
    (74, 'drink', 'Eau pétillante 75 cl', 'Boissons', 804, 480, 1000, 0, false, null),
    (75, 'drink', 'Jus de pomme', 'Boissons', 805, 420, 1000, 0, false, 'Fermier'),
    (76, 'drink', 'Limonade', 'Boissons', 806, 380, 1000, 0, false, null),
    (77, 'drink', 'Bière pression 25 cl', 'Boissons', 807, 420, 2000, 0, false, null),
    (78, 'drink', 'Kir', 'Boissons', 808, 550, 2000, 0, false, 'Crème de cassis'),
    (79, 'drink', 'Armagnac', 'Boissons', 809, 900, 2000, 0, false, '4 cl'),
    (90, 'menu', 'Formule midi', 'Formules', 1, 2400, 1000, 2, true, 'Entrée, plat et verre de vin');

-- By the glass.
insert into menu_items (id, kind, name, category, rank, price_cents, vat_rate, course, favourite, detail, glass_of) values
    (81, 'wine', 'Cahors 2018, verre', 'Vins rouges', 711, 650, 2000, 0, false, 'Sud-Ouest · verre 14 cl', 34),
    (82, 'wine', 'Chinon 2019, verre', 'Vins rouges', 712, 600, 2000, 0, false, 'Loire · verre 14 cl', 40),
    (83, 'wine', 'Chablis 2020, verre', 'Vins blancs', 731, 800, 2000, 0, false, 'Bourgogne · verre 14 cl', 44),
    (84, 'wine', 'Sancerre 2021, verre', 'Vins blancs', 732, 850, 2000, 0, false, 'Loire · verre 14 cl', 45);

insert into menu_components (menu_id, rank, group_name, item_id) values
    (90, 1, 'Entrée', 2), (90, 1, 'Entrée', 3), (90, 1, 'Entrée', 10),
    (90, 2, 'Plat', 14), (90, 2, 'Plat', 18), (90, 2, 'Plat', 24), (90, 2, 'Plat', 31),
    (90, 3, 'Boisson', 43), (90, 3, 'Boisson', 76);

insert into pairings (dish_id, wine_id, rank, reason) values
    (12, 34, 1, 'Le malbec du pays répond au gras du canard'),
    (13, 35, 1, 'Des tanins pour le confit'),
    (16, 35, 1, 'Le Sud-Ouest avec le Sud-Ouest'),
    (11, 36, 1, 'Un merlot mûr sur la viande grillée'),
    (22, 40, 1, 'Un cabernet franc frais avec l''échalote'),
    (14, 38, 1, 'Le pinot noir de la recette'),
    (15, 44, 1, 'De la tension contre la crème'),
    (17, 39, 1, 'Fruité, servi un peu frais'),
    (18, 39, 1, 'Léger sur la volaille'),
    (19, 42, 1, 'Un vin de garrigue pour l''agneau'),
    (20, 44, 1, 'Un blanc vif avec la moutarde'),
    (21, 47, 1, 'Ampleur et beurre noisette'),
    (23, 47, 1, 'Un grand blanc pour un grand poisson'),
    (24, 45, 1, 'Un sauvignon droit avec le beurre blanc'),
    (25, 51, 1, 'La Provence, avec le fenouil'),
    (26, 46, 1, 'L''iode appelle l''iode'),
    (27, 44, 1, 'Minéral, sans couvrir la noix'),
    (28, 51, 1, 'Le rosé de garde de la bouillabaisse'),
    (29, 48, 1, 'Sec et floral avec l''amande'),
    (5, 49, 1, 'L''accord classique du foie gras'),
    (8, 45, 1, 'Vif avec le saumon'),
    (30, 41, 1, 'Une syrah souple avec les cèpes'),
    (55, 43, 1, 'Au verre, sans façon'),
    (60, 50, 1, 'Le moelleux avec les pâtes persillées'),
    (63, 50, 1, 'Pomme rôtie et fruits confits');

-- Second and third choices.
insert into pairings (dish_id, wine_id, rank, reason) values
    (12, 35, 2, 'Plus de tanins, pour une cuisson rosée'),
    (12, 41, 3, 'La syrah aime le miel de la sauce'),
    (11, 34, 2, 'Charpenté, pour une viande saignante'),
    (24, 44, 2, 'Plus rond, plus minéral'),
    (14, 39, 2, 'Un gamay gourmand, plus simple');

-- For whatever has none of its own.
insert into category_pairings (category, wine_id, rank, reason) values
    ('Viandes', 34, 1, 'Le rouge de la maison avec les viandes'),
    ('Viandes', 40, 2, 'Plus léger, un peu frais'),
    ('Poissons', 44, 1, 'Minéral, avec tous les poissons'),
    ('Poissons', 46, 2, 'Vif et salin'),
    ('Végétarien', 45, 1, 'Un blanc sec avec les légumes'),
    ('Desserts', 50, 1, 'Le moelleux des fins de repas');

insert into menu_options (item_id, rank, group_name, required) values
    (11, 1, 'Cuisson', true), (11, 2, 'Sauce', false), (11, 3, 'Garniture', false),
    (12, 1, 'Cuisson', false),
    (22, 1, 'Cuisson', true), (22, 2, 'Garniture', false),
    (55, 1, 'Cuisson', true), (55, 2, 'Supplément', false),
    (17, 1, 'Préparation', true),
    (71, 1, 'Façon', false);
insert into menu_option_choices (item_id, rank, position, choice, price_cents)
select item_id, rank, position, choice, cents
from (values
    ('Cuisson', 1, 'Bleu', 0), ('Cuisson', 2, 'Saignant', 0), ('Cuisson', 3, 'À point', 0), ('Cuisson', 4, 'Bien cuit', 0),
    ('Sauce', 1, 'Béarnaise', 200), ('Sauce', 2, 'Poivre', 200), ('Sauce', 3, 'Roquefort', 250),
    ('Garniture', 1, 'Frites maison', 0), ('Garniture', 2, 'Salade verte', 0), ('Garniture', 3, 'Gratin dauphinois', 300),
    ('Supplément', 1, 'Bacon', 200), ('Supplément', 2, 'Double fromage', 150),
    ('Préparation', 1, 'Préparé', 0), ('Préparation', 2, 'Non préparé', 0), ('Préparation', 3, 'Aller-retour', 0),
    ('Façon', 1, 'Allongé', 0), ('Façon', 2, 'Serré', 0), ('Façon', 3, 'Noisette', 30)
) as c (group_name, position, choice, cents)
join menu_options o using (group_name);

update menu_items set allergens = a.codes::text[]
from (values
    (1, '{gluten,milk,sulphites}'), (2, '{eggs,mustard}'), (3, '{mustard,sulphites}'), (4, '{gluten,sulphites}'), (5, '{sulphites}'),
    (6, '{molluscs,milk}'), (7, '{gluten,milk,nuts,mustard}'), (8, '{fish,milk,mustard}'), (9, '{gluten}'), (10, '{milk,celery}'),
    (11, '{milk}'), (12, '{milk,sulphites}'), (13, '{sulphites}'), (14, '{celery,gluten,sulphites}'), (15, '{milk,celery,gluten}'),
    (16, '{celery,sulphites}'), (17, '{eggs,mustard,fish}'), (18, '{milk}'), (19, '{celery,sulphites}'), (20, '{mustard,milk}'),
    (21, '{milk,gluten}'), (22, '{milk,sulphites}'), (23, '{fish,milk,gluten}'), (24, '{fish,milk}'), (25, '{fish}'),
    (26, '{molluscs,celery,sulphites}'), (27, '{molluscs,milk}'), (28, '{fish,crustaceans,molluscs,celery}'), (29, '{fish,nuts,milk,gluten}'),
    (30, '{milk,sulphites}'), (31, '{eggs}'), (32, '{milk}'), (33, '{eggs,milk}'), (54, '{gluten,milk}'), (55, '{gluten,milk,sesame,eggs}'),
    (56, '{milk,gluten,sulphites}'), (58, '{mustard}'), (60, '{milk,gluten,nuts}'), (61, '{milk,eggs}'), (62, '{milk,eggs,soybeans}'),
    (63, '{gluten,milk}'), (64, '{milk,eggs,nuts}'), (65, '{gluten,milk,eggs,nuts}'), (66, '{gluten,milk,eggs}'), (67, '{gluten,milk,eggs,nuts}'),
    (77, '{gluten}'), (78, '{sulphites}')
) as a (id, codes)
where menu_items.id = a.id;
update menu_items set allergens = '{sulphites}' where kind = 'wine';
update menu_option_choices set allergens = a.codes::text[]
from (values
    ('Béarnaise', '{eggs,milk,sulphites}'), ('Poivre', '{milk,sulphites}'), ('Roquefort', '{milk}'), ('Salade verte', '{mustard}'),
    ('Gratin dauphinois', '{milk}'), ('Double fromage', '{milk}'), ('Noisette', '{milk}')
) as a (choice, codes)
where menu_option_choices.choice = a.choice;

insert into preset_notes (rank, note) values
    (1, 'Sans sel'), (2, 'Sauce à part'), (3, 'Sans oignons'), (4, 'Sans gluten'), (5, 'Allergie : prévenir le chef'), (6, 'Pour un enfant'),
    (7, 'Bien chaud'), (8, 'À partager');

-- Numbers given by hand: the next ones follow them.
select setval(pg_get_serial_sequence(t.name, 'id'), t.last)
from (values ('users', 6), ('rooms', 2), ('tables', 20), ('menu_items', 90)) as t (name, last);
