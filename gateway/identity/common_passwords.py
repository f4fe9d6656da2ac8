# SPDX-License-Identifier: EUPL-1.2
"""Passwords that plainly everybody would try first, French ones before all; most common first. Data only.

One list for two uses: words of little worth to `strength`, and, hashed, the list of breached passwords that is there
before a larger one is imported.
"""

from __future__ import annotations

from typing import Final

_TEXT: Final = """
123456 123456789 azerty 12345678 password motdepasse 12345 1234567890 azertyuiop qwerty 000000 111111 loulou doudou
marseille soleil 1234567 123123 chouchou bonjour jetaime azerty123 nicolas 654321 1234 admin camille iloveyou 123321
666666 777777 888888 999999 121212 112233 123654 147258369 147258 159753 789456 789456123 741852963 0123456789 012345
password1 password123 motdepasse1 motdepasse123 mdp mdp123 passe secret azertyui qsdfghjklm qsdfgh wxcvbn azqswx
azertyuiopqsdfghjklmwxcvbn azertyuiop123 qwertyuiop qwertyuiop123 qwerty123 qwerty12345 1q2w3e4r 1q2w3e4r5t 1qaz2wsx
1a2z3e4r 1a2z3e4r5t a1z2e3r4 a1z2e3r4t5 azer1234 azerty1 azerty12 azerty1234 azerty12345 azerty123456 qwe123 asdfghjkl
asdfgh zxcvbnm zxcvbn abc123 abcd1234 abcdef abcdefg abcdefgh a123456 a12345678 aaaaaa aaaaaaaa 11111111 00000000
1111111111 0000000000 000000000000 111111111111 123456123456 123456789012 123456789123 987654321 9876543210 111222
222222 333333 444444 555555 101010 131313 696969 123abc 123azerty 123456a 1234567a 12345678a 123456789a welcome
welcome1 letmein monkey dragon master login changeme changezmoi default root toor test test123 testtest user guest
temp temp123 pass pass123 passw0rd p@ssword p@ssw0rd p@ssword1 admin123 admin1234 administrateur administrator
bienvenue bienvenue1 bienvenue123 bonjour1 bonjour123 coucou coucou123 salut salut123 bonsoir merci jetaime123
jetaimemonamour jetadore monamour moncoeur monange mamour amour amour123 toujours pourtoujours bisous bisou calin bebe
bebe123 cheri cherie chérie coeur ange princesse prince princess princesse123 papillon papa maman papamaman famille
enfants maison vacances liberte liberté bonheur sourire tendresse douceur lumiere lumière espoir courage soleil123
soleil13 soleil1 etoile étoile lune ciel mer plage montagne fleur rose violette marguerite tulipe lavande cerise
fraise framboise vanille chocolat caramel nutella banane orange citron pomme pastis pastis51 ricard champagne chat
chaton minou chien toutou lapin poussin canard cheval poney dauphin tigre lion panthere loup dragonball doudou123
doudou13 nounours loulou123 loulou13 loulou1 loulou12 chouchou123 titi titi123 toto toto123 toto1234 tata tutu tintin
asterix obelix pikachu pokemon naruto starwars batman superman spiderman mickey minnie snoopy garfield marseille13
marseille1 marseille123 om13 paris paris75 paris123 lyon lyon69 toulouse toulouse31 bordeaux nantes lille lille59
rennes strasbourg montpellier nice nice06 toulon grenoble bretagne corse france france98 france123 martinique
guadeloupe reunion portugal algerie algérie maroc tunisie espagne italie football basket tennis rugby zidane ronaldo
messi mbappe psg psg75 barcelone juventus arsenal chelsea liverpool olympique ferrari porsche renault peugeot citroen
mercedes yamaha kawasaki harley kevin thomas alexandre maxime quentin antoine romain benjamin julien guillaume clement
anthony jeremy sebastien sébastien christophe philippe vincent florian olivier frederic stephane laurent pascal
patrick pierre jean michel bernard daniel martin lucas hugo mathis theo louis enzo nathan gabriel raphael arthur jules
leo adam marie julie laura sarah manon emma chloe chloé lea léa ines jade louise alice celine céline sandrine nathalie
isabelle sylvie valerie valérie catherine christine veronique veronica virginie stephanie stéphanie aurelie aurélie
emilie emilie123 melanie mélanie pauline marion caroline charlotte mathilde justine audrey elodie élodie sophie claire
anne isabel jessica jennifer michelle ashley nicole hannah george charlie jordan michael thomas123 nicolas123
camille123 janvier fevrier février mars avril mai juin juillet aout août septembre octobre novembre decembre décembre
lundi mardi mercredi jeudi vendredi samedi dimanche printemps ete été automne hiver noel noël paques pâques
anniversaire 2015 2016 2017 2018 2019 2020 2021 2022 2023 2024 2025 2026 2027 2028 2029 2030 pharmacie pharmacien
pharmacienne officine medecin médecin docteur infirmier infirmiere infirmière dentiste cabinet sante santé hopital
hôpital clinique ordonnance vitale cartevitale ameli amelipro sesam portail teleservice patient medicament médicament
aspirine doliprane caducee caducée ordinateur internet windows google facebook youtube orange1 wanadoo free123 livebox
freebox bonjour2024 bonjour2025 soleil2024 soleil2025 azerty2024 azerty2025 motdepasse2024 motdepasse2025 password2024
password2025 pharmacie2024 pharmacie2025 pharmacie123 pharmacie1 sunshine football1 baseball shadow ninja trustno1
whatever freedom computer superman1 iloveyou1 lovely flower cookie cheese summer winter hello hello123 hottie loveme
babygirl angel angel1 blink182 mustang hunter2 killer pepper ginger matrix
"""

COMMON: Final[tuple[str, ...]] = tuple(_TEXT.split())
