"""Who treats which patient: relations with an end, made by people and by what people do. They open what is
sensitive."""
