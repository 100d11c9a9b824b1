# A chat: messages from stdin, /commands, several lines, the KV cache kept where the conversation goes on.
. "$LIB"
copy_model talker
cp "$ASSETS/../tests/golden/tasks/chat_template.jinja" talker/chat_template.jinja
printf '%s\n' 'Once upon a time' '/regenerate' '/unknown' 'and \' 'then?' '/system Be brief.' '"""many' 'lines"""' '' '/clear' \
  'Once upon a time' '/exit' 'never said' >messages
nibble run talker -i --temperature 0 -n 12 --quiet <messages
printf 'Once upon a time\nand then?\n' >two
nibble run talker -i --temperature 0 -n 12 <two
nibble run talker -i --temperature 0 -n 12 -c 48 -p "Once upon a time" --quiet <two
nibble run "$ASSETS/lab-7m" -i --chat-template talker/chat_template.jinja --temperature 0 -n 12 --quiet <two
refuses run "$ASSETS/lab-7m" -i --quiet <two
printf '{%% if %%}' >broken.jinja
refuses run talker -i --chat-template broken.jinja --quiet <two
refuses run talker -i --chat-template missing.jinja --quiet <two
refuses run talker --chat-template broken.jinja -p y
refuses run talker -i --json <two
refuses run talker --system x -p y
