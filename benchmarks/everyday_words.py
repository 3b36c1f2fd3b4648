"""Words of everyday English for ``everyday_grammar.py``, and their forms: nothing but common ones, by hand."""

from __future__ import annotations


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


PAST = {  # by the verb, its past and its participle
    verb: [past, participle]
    for verb, past, participle in (
        one.split("_")
        for one in words(
            """
    bring_brought_brought buy_bought_bought come_came_come do_did_done drink_drank_drunk drive_drove_driven
    eat_ate_eaten fall_fell_fallen feel_felt_felt find_found_found forget_forgot_forgotten get_got_got
    give_gave_given go_went_gone hear_heard_heard keep_kept_kept know_knew_known leave_left_left lose_lost_lost
    make_made_made meet_met_met pay_paid_paid put_put_put read_read_read ride_rode_ridden run_ran_run say_said_said
    see_saw_seen sell_sold_sold send_sent_sent sing_sang_sung sit_sat_sat sleep_slept_slept speak_spoke_spoken
    spend_spent_spent stand_stood_stood steal_stole_stolen swim_swam_swum take_took_taken teach_taught_taught
    tell_told_told think_thought_thought throw_threw_thrown wake_woke_woken wear_wore_worn win_won_won
    write_wrote_written begin_began_begun build_built_built break_broke_broken catch_caught_caught cut_cut_cut
    grow_grew_grown hide_hid_hidden hold_held_held sting_stung_stung bite_bit_bitten fight_fought_fought
    lend_lent_lent hit_hit_hit fly_flew_flown draw_drew_drawn shut_shut_shut let_let_let shake_shook_shaken
    freeze_froze_frozen have_had_had lie_lay_lain rise_rose_risen shine_shone_shone hang_hung_hung
    seek_sought_sought feed_fed_fed tear_tore_torn ring_rang_rung sweep_swept_swept
    understand_understood_understood swear_swore_sworn
    choose_chose_chosen become_became_become mean_meant_meant hurt_hurt_hurt set_set_set
    """
        )
    )
}
IRREGULAR = words(
    "bite hit cut find leave read see catch hurt shut tear break drive steal hide lose build write feed wear"
)
BARE = words(
    """
    sleep work laugh cry run swim dance sing smile cough bark arrive leave wait shout bite scratch knock ring sneeze
    snore jump fall shine rain stop hurt wake whistle growl bloom melt boil freeze burn limp yawn stare disappear
    rise crash explode vanish cheat listen move matter relax travel suffer purr meow sting complain
    """
)
TAKING = words(
    """
    like love hate need want see hear buy sell wash clean cook paint open close break find lose read write drink eat
    watch visit help call drive carry cut kick catch hit push pull build fix feed wear steal bring hold marry invite
    follow follow miss remember forget hide ride teach burn repair borrow prefer enjoy understand know meet kiss hug
    stir peel bake fry chop mix slice taste pack fold iron shut lock cross climb chase bite scratch lick guard trust
    thank blame warn scare annoy plant pick water polish sweep wipe count draw copy print study learn order collect
    recommend recognise deserve avoid ignore share choose control examine rent own hurt attack tease please
    """
)
GIVING = words("give send show tell teach lend bring offer buy read write sell promise pass owe hand cook make")
TOWARDS = words(
    """
    wait:for look:at listen:to think:about talk:about laugh:at wait:for care:about dream:of live:with work:with
    play:with pay:for ask:for belong:to write:to speak:to sit:on walk:across run:after knock:on apologise:for
    smile:at point:at hide:behind depend:on agree:with argue:with worry:about climb:over arrive:at hear:from
    """
)
WITH_PARTICLE = words(
    """
    turn:off turn:on switch:off switch:on pick:up put:on put:away put:down put:off take:off take:out throw:away
    throw:out give:up give:back fill:in fill:out hand:in wake:up bring:back call:off call:back clean:up cut:down
    look:up write:down set:up hang:up let:in pay:back send:back tidy:up use:up wipe:off work:out tear:down find:out
    try:on knock:over pull:down lock:up shut:down back:up print:out warm:up ring:up drop:off
    """
)
ALONE = words(
    """
    get:up wake:up sit:down stand:up go:out come:back go:away break:down grow:up give:up take:off calm:down
    fall:down hurry:up lie:down log:in slow:down run:away run:off show:up shut:up move:in move:out go:on come:in
    eat:out stay:up look:out sleep:in warm:up pass:out hang:on drive:off check:in settle:down turn:up end:up
    come:over
    """
)
PARTICLE_TOWARDS = words(
    """
    put:up:with come:up:with get:on:with get:along:with catch:up:with look:down:on get:away:with keep:up:with
    look:out:for go:on:with end:up:in drop:in:on sign:up:for stand:up:for
    """
)
MOVING = words("go come drive walk run fly get travel climb")
SAYING = words("think know say hope believe guess suppose feel hear see forget remember notice mean swear")
ASKING = words("know wonder remember forget see understand ask")
TO_DO = words("want try need hope decide start forget learn promise begin plan agree refuse like love hate")
DOING = words("like love hate enjoy stop start keep finish mind practise avoid")
PEOPLE = words(
    """
    man woman boy girl teacher doctor neighbour friend brother sister mother father cousin baby child student boss
    nurse farmer king uncle aunt driver waiter stranger guest kid policeman dentist grandmother singer thief
    """
)
THINGS = words(
    """
    dog cat car house book letter door window bus train key phone bike table soup cake garden river shop film song
    box coat hat shoe chair room street school picture game cup bird tree apple boat plane computer bag story
    question problem dinner test job party meeting ticket hotel bed lamp shirt spoon fork knife pan plate garlic
    sauce dress ball kite horse cow duck fish bottle clock radio camera map road bridge farm market letter wall roof
    lesson suitcase jacket towel pencil ladder candle fence basket drum piano guitar sandwich egg
    """
)
COMPOUNDS = words(
    """
    bus:stop bus:driver train:station coffee:cup swimming:pool shopping:bag dinner:table phone:number birthday:party
    football:match tennis:ball bath:room washing:machine car:park ice:cream chocolate:cake post:office school:bus
    traffic:light police:car family:doctor summer:job apple:pie bread:knife garden:chair kitchen:window
    """
)
WONDERS = words("day mess pity surprise game party story film dog place house song joke night view meal book goal lie")
MASS = words(
    """
    water bread milk tea coffee money rice cheese music homework help food sugar salt butter juice meat soap
    """
)
FRIENDS = words("mate kid dear everyone guys dad mum grandma sir man folks boss friend doctor")
PLACES = words(
    """
    kitchen garden park office station library city corner town market airport street room village forest
    """
)
NAMES = words("Tom Mary John Anna Peter Maria Emma Paul Lucy Ben Sarah Jack Kate Bob Alice Sam")
TOWNS = words("London Paris Boston Berlin Spain Japan Italy China Chicago Tokyo Rome Canada")
TALL = words(
    """
    old big small tall young cheap fast slow nice hot cold warm dark clean strong kind long short rich loud late
    hard easy bright thick heavy quiet
    """
)
FINE = words(
    """
    expensive beautiful interesting important difficult delicious comfortable dangerous famous useful boring careful
    polite popular tired hungry thirsty ready asleep angry sad afraid sorry busy free sick wrong empty awake married
    wet red blue green white black new good bad salty sweet bored drunk ill alone closed lost broken full
    """
)
ONLY_AFTER = words("asleep awake ready sorry afraid alone ill")
ATTRIBUTES = [word for word in TALL + FINE if word not in ONLY_AFTER]
WHERE = words("home here there outside upstairs downstairs away abroad inside everywhere")
HOW = words("well slowly quickly fast hard quietly carefully loudly alone again together badly twice")
OFTEN = words("always never often usually sometimes really still just also already probably only")
WHEN = words(
    """
    (NP_(NN_today)) (NP_(NN_tomorrow)) (NP_(NN_tonight)) (NP_(NN_yesterday)) (NP_(JJ_last)_(NN_week))
    (NP_(JJ_next)_(NN_year)) (NP_(DT_this)_(NN_morning)) (NP_(DT_every)_(NN_day)) (ADVP_(RB_now)) (ADVP_(RB_soon))
    (NP_(JJ_last)_(NN_night)) (PP_(IN_at)_(NP_(NN_night))) (PP_(IN_in)_(NP_(DT_the)_(NN_morning)))
    (PP_(IN_at)_(NP_(CD_five))) (PP_(IN_on)_(NP_(NNP_Monday))) (PP_(IN_before)_(NP_(NN_lunch))) (ADVP_(RBR_later))
    (PP_(IN_after)_(NP_(NN_dinner))) (PP_(IN_on)_(NP_(NNPS_Saturdays))) (ADVP_(RB_once)) (NP_(DT_all)_(NN_day))
    """
)
TYPED = {"you": "u", "are": "r", "your": "ur", "thanks": "thx", "please": "pls", "okay": "k"}
GREET = words("hi hey hello ok okay yeah yes no oh well lol haha wow sorry thanks please")
NEWS = words(
    """
    minister storm police fire team player school bank worker court strike flood film star tax report doctor driver
    train crash hospital price vote leader bridge city company law war plan deal river actor mayor union farm market
    """
)
HEADLINE_VERBS = words(
    """
    win lose open close hit kill save buy sell find leave attack arrest stop warn visit ban cut back face deny block
    raise reject approve discover unveil announce seek meet destroy charge rescue injure elect launch sue
    """
)
PLURALS = {"man": "men", "woman": "women", "child": "children", "knife": "knives", "thief": "thieves", "fish": "fish"}
PLURALS["policeman"] = "policemen"
FORMS = {"VB": 0, "VBP": 0, "VBZ": 1, "VBG": 2, "VBD": 3, "VBN": 4}
DOUBLING = words(
    """
    run swim stop sit cut hit put get win shut hug knit chat begin forget let chop plan slip drop grab travel log
    set prefer control step stir ban beg
    """
)


def form(verb: str, tag: str) -> str:
    """A verb in the form of a tag."""
    ends = verb[-1] in "sxz" or verb.endswith(("ch", "sh")) or verb in ("go", "do")
    consonant_y = verb[-1] == "y" and verb[-2] not in "aeou"
    third = verb[:-1] + "ies" if consonant_y else verb + ("es" if ends else "s")
    doubled = verb + verb[-1] if verb in DOUBLING else verb
    base = doubled[:-1] if doubled[-1] == "e" and doubled[-2] != "e" else doubled
    ing = "lying" if verb == "lie" else base + "ing"
    past = verb[:-1] + "ied" if consonant_y else base + "ed" if doubled[-1] != "e" else verb + "d"
    third = "has" if verb == "have" else third
    return [verb, third, ing, *PAST.get(verb, [past, past])][FORMS[tag]]


def plural_of(noun: str) -> str:
    """The plural of a noun."""
    ends = "es" if noun[-1] in "sx" or noun.endswith(("ch", "sh")) else "s"
    return PLURALS.get(noun) or (noun[:-1] + "ies" if noun[-1] == "y" and noun[-2] not in "aeou" else noun + ends)


def longer(word: str) -> str:
    """The comparative of a short adjective."""
    if word in ("big", "hot"):
        word += word[-1]
    return word[:-1] + "ier" if word[-1] == "y" else word + ("r" if word[-1] == "e" else "er")
