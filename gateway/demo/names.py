# SPDX-License-Identifier: EUPL-1.2
"""Common French names out of which the fictive people of the demo are put together. Data only."""

_SURNAMES = """
    Aubert Bailly Barbier Barre Baron Benoit Berger Bernard Bertin Besson Blanchard Boucher Boulanger Bourgeois
    Bouvier Brun Brunet Carpentier Charpentier Chevalier Clément Collet Colin Cousin Da-Silva David Delaunay Delmas
    Deschamps Devaux Dubois Dumas Dupont Durand Étienne Fabre Faure Fernandez Fleury Fontaine Fournier Gaillard Garnier
    Gauthier Gérard Giraud Girard Guérin Guillot Hamadi Hamon Hervé Huet Hubert Jacquet Joly Julien Klein Lacroix
    Lambert Laurent Lebrun Leclerc Lefèvre Legrand Lemaire Lemoine Leroux Leroy Lopez Lucas Maillard Mallet Marchand
    Marie-Rose Martin Martinez Masson Mathieu Ménard Mercier Meunier Meyer Michel Moreau Morel Morin Moulin Ndiaye
    Nguyen Nicolas Noël Olivier Paris Pelletier Perrin Petit Philippe Picard Poirier Pons Prévost Renard Renaud Rey
    Richard Rivière Robin Roche Rousseau Roussel Roux Roy Schmitt Simon Tanguy Tessier Thomas Traoré Vasseur Vidal
    Vincent Weber"""
SURNAMES: tuple[str, ...] = tuple(_SURNAMES.split())

_WOMEN = """
    Adèle Agathe Alice Amina Anaïs Anne Aurélie Béatrice Brigitte Camille Caroline Catherine Cécile Chantal Chloé
    Claire Clémence Denise Élise Élodie Emma Fatou Florence Françoise Gisèle Hélène Inès Isabelle Jacqueline Jade
    Jeanne Joséphine Julie Juliette Karima Laura Léa Louise Lucie Madeleine Manon Marguerite Marie Marion Mathilde
    Monique Nadia Nathalie Nicole Océane Odile Pauline Renée Rose Sandrine Sarah Simone Sophie Suzanne Thérèse Valérie
    Yvette Zoé"""
WOMEN: tuple[str, ...] = tuple(_WOMEN.split())

_MEN = """
    Adrien Alain Albert Alexandre André Antoine Arnaud Arthur Baptiste Benjamin Bernard Bruno Cédric Charles
    Christian Claude Clément Daniel Denis Didier Émile Étienne Fabrice Félix François Gabriel Georges Gérard Gilles
    Guillaume Hugo Ibrahim Jacques Jean Jérôme Joseph Jules Julien Karim Laurent Léon Louis Lucas Marcel Mathis Maurice
    Maxime Michel Moussa Nathan Nicolas Noé Olivier Pascal Patrick Paul Philippe Pierre Raymond René Robert Roger
    Romain Samuel Sébastien Serge Théo Thierry Thomas Victor Vincent Yves"""
MEN: tuple[str, ...] = tuple(_MEN.split())
