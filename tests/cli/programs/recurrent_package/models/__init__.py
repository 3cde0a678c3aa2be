from rnn import ElmanRNN
import layers
