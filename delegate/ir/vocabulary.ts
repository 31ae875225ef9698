/** The schema's `Padding`. */
export type Padding = 'SAME' | 'VALID';
/** The schema's `ActivationFunctionType`. */
export type Activation = 'NONE' | 'RELU' | 'RELU_N1_TO_1' | 'RELU6' | 'TANH' | 'SIGN_BIT';
/** The schema's `MirrorPadMode`. */
export type MirrorPadMode = 'REFLECT' | 'SYMMETRIC';
