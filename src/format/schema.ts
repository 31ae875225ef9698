import { builtinOperators, operators } from './operators.js';
import { type Enumeration, parseSchema, type Table, tableName } from './schema-notation.js';

// The TFLite schema, version 3. The verifier, the reader, the writer and the printer all follow this table.

// Enums: name:base, then the names of the values 0, 1, 2, … `BuiltinOperator` is in operators.ts.
const ENUMS = `
TensorType:byte FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE
  VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2
DimensionType:byte DENSE SPARSE_CSR
StablehloPrecisionConfig:uint DEFAULT HIGH HIGHEST
StablehloComparisonDirection:uint STABLEHLO_COMPARISON_DIRECTION_EQ STABLEHLO_COMPARISON_DIRECTION_NE
  STABLEHLO_COMPARISON_DIRECTION_GE STABLEHLO_COMPARISON_DIRECTION_GT STABLEHLO_COMPARISON_DIRECTION_LE
  STABLEHLO_COMPARISON_DIRECTION_LT
StablehloComparisonType:uint STABLEHLO_COMPARISON_TYPE_NOTYPE STABLEHLO_COMPARISON_TYPE_FLOAT
  STABLEHLO_COMPARISON_TYPE_FLOAT_TOTAL_ORDER STABLEHLO_COMPARISON_TYPE_SIGNED STABLEHLO_COMPARISON_TYPE_UNSIGNED
RngAlgorithm:byte DEFAULT PHILOX THREEFRY
Padding:byte SAME VALID
ActivationFunctionType:byte NONE RELU RELU_N1_TO_1 RELU6 TANH SIGN_BIT
LSHProjectionType:byte UNKNOWN SPARSE DENSE
FullyConnectedOptionsWeightsFormat:byte DEFAULT SHUFFLED4x16INT8
LSTMKernelType:byte FULL BASIC
CombinerType:byte SUM MEAN SQRTN
MirrorPadMode:byte REFLECT SYMMETRIC
ReduceWindowFunction:int UNSUPPORTED ADD MUL MINIMUM MAXIMUM ALL ANY
CustomOptionsFormat:byte FLEXBUFFERS`;

// Tables: fields in the order of their slots, name:type=default. A union takes two slots, its type first.
const TABLES = `
QuantizationParameters min:[float] max:[float] scale:[float] zeroPoint:[long] details:QuantizationDetails
  quantizedDimension:int
DimensionMetadata format:DimensionType denseSize:int arraySegments:SparseIndexVector arrayIndices:SparseIndexVector
SparsityParameters traversalOrder:[int] blockMap:[int] dimMetadata:[DimensionMetadata]
VariantSubType shape:[int] type:TensorType hasRank:bool
Tensor shape:[int] type:TensorType buffer:uint name:string quantization:QuantizationParameters isVariable:bool
  sparsity:SparsityParameters shapeSignature:[int] hasRank:bool variantTensors:[VariantSubType] externalBuffer:uint
OperatorCode deprecatedBuiltinCode:byte customCode:string version:int=1 builtinCode:BuiltinOperator
Operator opcodeIndex:uint inputs:[int] outputs:[int] builtinOptions:BuiltinOptions customOptions:[ubyte]
  customOptionsFormat:CustomOptionsFormat mutatingVariableInputs:[bool] intermediates:[int]
  largeCustomOptionsOffset:ulong largeCustomOptionsSize:ulong builtinOptions2:BuiltinOptions2
  debugMetadataIndex:int=-1
SubGraph tensors:[Tensor] inputs:[int] outputs:[int] operators:[Operator] name:string debugMetadataIndex:int=-1
Buffer data:[ubyte] offset:ulong size:ulong
ExternalBufferGroup name:string
ExternalBuffer id:uint group:uint offset:ulong length:ulong packing:string
Metadata name:string buffer:uint
TensorMap name:string tensorIndex:uint
SignatureDef inputs:[TensorMap] outputs:[TensorMap] signatureKey:string deprecatedTag:string subgraphIndex:uint
Model version:uint operatorCodes:[OperatorCode] subgraphs:[SubGraph] description:string buffers:[Buffer]
  metadataBuffer:[int] metadata:[Metadata] signatureDefs:[SignatureDef] externalBufferGroups:[ExternalBufferGroup]
  externalBuffers:[ExternalBuffer]`;

// Unions: their members 1, 2, … are tables; 0 is NONE. An operator's name stands for its options: CONV_2D for Conv2DOptions.
const UNIONS = {
  QuantizationDetails: `
CustomQuantization custom:[ubyte]
BlockwiseQuantization scales:int zeroPoints:int blockSize:int
MultiAxisQuantization scales:int zeroPoints:int blockSize:int quantizedDimensions:[int]`,
  SparseIndexVector: `
Int32Vector values:[int]
Uint16Vector values:[ushort]
Uint8Vector values:[ubyte]`,
  BuiltinOptions: `
CONV_2D padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType dilationWFactor:int=1
  dilationHFactor:int=1 quantizedBiasType:TensorType
DEPTHWISE_CONV_2D padding:Padding strideW:int strideH:int depthMultiplier:int
  fusedActivationFunction:ActivationFunctionType dilationWFactor:int=1 dilationHFactor:int=1
CONCAT_EMBEDDINGS numChannels:int numColumnsPerChannel:[int] embeddingDimPerChannel:[int]
LSHProjectionOptions type:LSHProjectionType
Pool2DOptions padding:Padding strideW:int strideH:int filterWidth:int filterHeight:int
  fusedActivationFunction:ActivationFunctionType
SVDFOptions rank:int fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
RNNOptions fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
FULLY_CONNECTED fusedActivationFunction:ActivationFunctionType weightsFormat:FullyConnectedOptionsWeightsFormat
  keepNumDims:bool asymmetricQuantizeInputs:bool quantizedBiasType:TensorType
SOFTMAX beta:float
CONCATENATION axis:int fusedActivationFunction:ActivationFunctionType
ADD fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true
L2NormOptions fusedActivationFunction:ActivationFunctionType
LOCAL_RESPONSE_NORMALIZATION radius:int bias:float alpha:float beta:float
LSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float kernelType:LSTMKernelType
  asymmetricQuantizeInputs:bool
RESIZE_BILINEAR newHeight:int newWidth:int alignCorners:bool halfPixelCenters:bool
CALL subgraph:uint
RESHAPE newShape:[int]
SKIP_GRAM ngramSize:int maxSkipSize:int includeAllNgrams:bool
SPACE_TO_DEPTH blockSize:int
EMBEDDING_LOOKUP_SPARSE combiner:CombinerType
MUL fusedActivationFunction:ActivationFunctionType
PAD
GATHER axis:int batchDims:int
BatchToSpaceNDOptions
SpaceToBatchNDOptions
TRANSPOSE
ReducerOptions keepDims:bool
SUB fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true
DIV fusedActivationFunction:ActivationFunctionType
SQUEEZE squeezeDims:[int]
SequenceRNNOptions timeMajor:bool fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
STRIDED_SLICE beginMask:int endMask:int ellipsisMask:int newAxisMask:int shrinkAxisMask:int offset:bool
EXP
TopKV2Options
SPLIT numSplits:int
LOG_SOFTMAX
CAST inDataType:TensorType outDataType:TensorType
DEQUANTIZE
MaximumMinimumOptions
ARG_MAX outputType:TensorType
LESS
NEG
PadV2Options
GREATER
GREATER_EQUAL
LESS_EQUAL
SELECT
SLICE
TRANSPOSE_CONV padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  quantizedBiasType:TensorType
SPARSE_TO_DENSE validateIndices:bool
TILE
EXPAND_DIMS
EQUAL
NOT_EQUAL
SHAPE outType:TensorType
POW
ARG_MIN outputType:TensorType
FAKE_QUANT min:float max:float numBits:int narrowRange:bool
PACK valuesCount:int axis:int
LOGICAL_OR
ONE_HOT axis:int
LOGICAL_AND
LOGICAL_NOT
UNPACK num:int axis:int
FLOOR_DIV
SQUARE
ZEROS_LIKE
FILL
BidirectionalSequenceLSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
  mergeOutputs:bool timeMajor:bool=true asymmetricQuantizeInputs:bool
BidirectionalSequenceRNNOptions timeMajor:bool fusedActivationFunction:ActivationFunctionType mergeOutputs:bool
  asymmetricQuantizeInputs:bool
UnidirectionalSequenceLSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
  timeMajor:bool asymmetricQuantizeInputs:bool diagonalRecurrentTensors:bool
FLOOR_MOD
RANGE
RESIZE_NEAREST_NEIGHBOR alignCorners:bool halfPixelCenters:bool
LEAKY_RELU alpha:float
SQUARED_DIFFERENCE
MIRROR_PAD mode:MirrorPadMode
ABS
SPLIT_V numSplits:int
UNIQUE idxOutType:TensorType=INT32
REVERSE_V2
ADD_N
GATHER_ND
COS
WHERE
RANK
REVERSE_SEQUENCE seqDim:int batchDim:int
MATRIX_DIAG
QUANTIZE
MATRIX_SET_DIAG
HARD_SWISH
IF thenSubgraphIndex:int elseSubgraphIndex:int
WHILE condSubgraphIndex:int bodySubgraphIndex:int
DEPTH_TO_SPACE blockSize:int
NON_MAX_SUPPRESSION_V4
NON_MAX_SUPPRESSION_V5
SCATTER_ND
SELECT_V2
DENSIFY
SEGMENT_SUM
BatchMatMulOptions adjX:bool adjY:bool asymmetricQuantizeInputs:bool
CUMSUM exclusive:bool reverse:bool
CALL_ONCE initSubgraphIndex:int
BROADCAST_TO
RFFT2D
CONV_3D padding:Padding strideD:int strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  dilationDFactor:int=1 dilationWFactor:int=1 dilationHFactor:int=1
HASHTABLE tableId:int keyDtype:TensorType valueDtype:TensorType
HASHTABLE_FIND
HASHTABLE_IMPORT
HASHTABLE_SIZE
VAR_HANDLE container:string sharedName:string
READ_VARIABLE
ASSIGN_VARIABLE
RandomOptions seed:long seed2:long
BUCKETIZE boundaries:[float]
GELU approximate:bool
DYNAMIC_UPDATE_SLICE
UNSORTED_SEGMENT_PROD
UNSORTED_SEGMENT_MAX
UNSORTED_SEGMENT_MIN
UNSORTED_SEGMENT_SUM
ATan2Options
SIGN
BITCAST
BITWISE_XOR
RIGHT_SHIFT`,
  BuiltinOptions2: `
STABLEHLO_CONCATENATE dimension:long
STABLEHLO_BROADCAST_IN_DIM broadcastDimensions:[long]
STABLEHLO_SLICE startIndices:[long] limitIndices:[long] strides:[long]
STABLEHLO_CONVOLUTION windowStrides:[long] padding:[long] lhsDilation:[long] rhsDilation:[long] windowReversal:[bool]
  inputBatchDimension:long inputFeatureDimension:long inputSpatialDimensions:[long] kernelInputFeatureDimension:long
  kernelOutputFeatureDimension:long kernelSpatialDimensions:[long] outputBatchDimension:long
  outputFeatureDimension:long outputSpatialDimensions:[long] featureGroupCount:long batchGroupCount:long
  precisionConfig:[StablehloPrecisionConfig]
STABLEHLO_CUSTOM_CALL callTargetName:string hasSideEffect:bool backendConfig:string apiVersion:int
  calledComputations:[int] customAttributes:[ubyte]
STABLEHLO_REDUCE dimensions:[long] bodySubgraphIndex:int
STABLEHLO_SCATTER indicesAreSorted:bool updateWindowDims:[long] insertedWindowDims:[long]
  scatterDimsToOperandDims:[long] indexVectorDim:long uniqueIndices:bool updateComputationSubgraphIndex:int
STABLEHLO_COMPARE comparisonDirection:StablehloComparisonDirection compareType:StablehloComparisonType
STABLEHLO_DYNAMIC_SLICE sliceSizes:[long]
STABLEHLO_PAD edgePaddingLow:[long] edgePaddingHigh:[long] interiorPadding:[long]
STABLEHLO_IOTA iotaDimension:long
STABLEHLO_DOT_GENERAL lhsBatchingDimensions:[long] rhsBatchingDimensions:[long] lhsContractingDimensions:[long]
  rhsContractingDimensions:[long] precisionConfig:[StablehloPrecisionConfig]
STABLEHLO_REDUCE_WINDOW windowDimensions:[long] windowStrides:[long] baseDilations:[long] windowDilations:[long]
  padding:[long] bodySubgraphIndex:int
STABLEHLO_SORT dimension:long isStable:bool comparatorSubgraphIndex:int
STABLEHLO_WHILE condSubgraphIndex:int bodySubgraphIndex:int
STABLEHLO_GATHER offsetDims:[long] collapsedSliceDims:[long] startIndexMap:[long] indexVectorDim:long
  sliceSizes:[long] indicesAreSorted:bool
STABLEHLO_TRANSPOSE permutation:[long]
DILATE
STABLEHLO_RNG_BIT_GENERATOR algorithm:RngAlgorithm
REDUCE_WINDOW reduceFunction:ReduceWindowFunction
StableHLOCompositeOptions name:string decompositionSubgraphIndex:int compositeAttributes:[ubyte]
  compositeAttributesFormat:CustomOptionsFormat version:int
STABLEHLO_SHIFT_LEFT
STABLEHLO_CASE branchSubgraphIndices:[int]`,
};

const schema = parseSchema(ENUMS, TABLES, UNIONS, builtinOperators);

/** Every table of the schema by name, members of unions included. */
export const tables: ReadonlyMap<string, Table> = schema.tables;
/** Every enum by name. */
export const enums: ReadonlyMap<string, Enumeration> = schema.enums;
/** Every union by name; its members are tables. */
export const unions: ReadonlyMap<string, Enumeration> = schema.unions;

/** The table called `name`; the name comes from this package, never from a model. */
export function tableOf(name: string): Table {
  const table = tables.get(name);
  if (!table) throw new TypeError(`the schema has no table ${name}`);
  return table;
}

type EmptyRow = Readonly<Record<string, number | boolean | string | undefined>>;

const emptyRows = new Map([...tables.values()].map((table) => [table, withoutFields(table)]));

/** What a table holds of which the file gives no field: the schema's defaults. */
export function emptyRow(table: Table): EmptyRow {
  return emptyRows.get(table)!;
}

function withoutFields({ fields }: Table): EmptyRow {
  const row: Record<string, number | boolean | string | undefined> = {};
  for (const field of fields) {
    if (field.kind === 'union') row[field.typeName] = 'NONE';
    row[field.name] = field.fallback;
  }
  return Object.freeze(row);
}

/** The options table of a builtin operator; `undefined` where it has none. */
export function optionsTableOf(operator: string): Table | undefined {
  return tables.get(operators.get(operator)?.options ?? tableName(operator));
}
