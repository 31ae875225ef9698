import { type Enumeration, parseSchema, type Table } from './schema-notation.js';

// The TFLite schema, version 3. The verifier, the reader, the writer and the printer all follow this table.

// Enums: name:base, then the names of the values 0, 1, 2, …
const ENUMS = `
TensorType:byte FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE
  VARIANT UINT32 UINT16 INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2
DimensionType:byte DENSE SPARSE_CSR
BuiltinOperator:int ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE
  EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION
  LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX
  SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM EMBEDDING_LOOKUP_SPARSE PAD
  UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
  UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE
  BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL
  SELECT SLICE SIN TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW
  ARG_MIN FAKE_QUANT REDUCE_PROD REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN
  FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE
  MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE RANK ELU REVERSE_SEQUENCE MATRIX_DIAG
  QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4 NON_MAX_SUPPRESSION_V5 SCATTER_ND
  SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE BROADCAST_TO RFFT2D
  CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL CONV_3D_TRANSPOSE
  VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM MULTINOMIAL
  GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
  UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE
  STABLEHLO_MULTIPLY STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE
  STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE
  STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM
  STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT STABLEHLO_SELECT
  STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
  STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW
  STABLEHLO_SORT STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW
  STABLEHLO_COMPOSITE STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE
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

// Unions: name, then its members 1, 2, …; 0 is NONE.
const UNIONS = `
QuantizationDetails CustomQuantization BlockwiseQuantization MultiAxisQuantization
SparseIndexVector Int32Vector Uint16Vector Uint8Vector
BuiltinOptions Conv2DOptions DepthwiseConv2DOptions ConcatEmbeddingsOptions LSHProjectionOptions Pool2DOptions
  SVDFOptions RNNOptions FullyConnectedOptions SoftmaxOptions ConcatenationOptions AddOptions L2NormOptions
  LocalResponseNormalizationOptions LSTMOptions ResizeBilinearOptions CallOptions ReshapeOptions SkipGramOptions
  SpaceToDepthOptions EmbeddingLookupSparseOptions MulOptions PadOptions GatherOptions BatchToSpaceNDOptions
  SpaceToBatchNDOptions TransposeOptions ReducerOptions SubOptions DivOptions SqueezeOptions SequenceRNNOptions
  StridedSliceOptions ExpOptions TopKV2Options SplitOptions LogSoftmaxOptions CastOptions DequantizeOptions
  MaximumMinimumOptions ArgMaxOptions LessOptions NegOptions PadV2Options GreaterOptions GreaterEqualOptions
  LessEqualOptions SelectOptions SliceOptions TransposeConvOptions SparseToDenseOptions TileOptions ExpandDimsOptions
  EqualOptions NotEqualOptions ShapeOptions PowOptions ArgMinOptions FakeQuantOptions PackOptions LogicalOrOptions
  OneHotOptions LogicalAndOptions LogicalNotOptions UnpackOptions FloorDivOptions SquareOptions ZerosLikeOptions
  FillOptions BidirectionalSequenceLSTMOptions BidirectionalSequenceRNNOptions UnidirectionalSequenceLSTMOptions
  FloorModOptions RangeOptions ResizeNearestNeighborOptions LeakyReluOptions SquaredDifferenceOptions MirrorPadOptions
  AbsOptions SplitVOptions UniqueOptions ReverseV2Options AddNOptions GatherNdOptions CosOptions WhereOptions
  RankOptions ReverseSequenceOptions MatrixDiagOptions QuantizeOptions MatrixSetDiagOptions HardSwishOptions IfOptions
  WhileOptions DepthToSpaceOptions NonMaxSuppressionV4Options NonMaxSuppressionV5Options ScatterNdOptions
  SelectV2Options DensifyOptions SegmentSumOptions BatchMatMulOptions CumsumOptions CallOnceOptions BroadcastToOptions
  Rfft2dOptions Conv3DOptions HashtableOptions HashtableFindOptions HashtableImportOptions HashtableSizeOptions
  VarHandleOptions ReadVariableOptions AssignVariableOptions RandomOptions BucketizeOptions GeluOptions
  DynamicUpdateSliceOptions UnsortedSegmentProdOptions UnsortedSegmentMaxOptions UnsortedSegmentMinOptions
  UnsortedSegmentSumOptions ATan2Options SignOptions BitcastOptions BitwiseXorOptions RightShiftOptions
BuiltinOptions2 StablehloConcatenateOptions StablehloBroadcastInDimOptions StablehloSliceOptions
  StablehloConvolutionOptions StablehloCustomCallOptions StablehloReduceOptions StablehloScatterOptions
  StablehloCompareOptions StablehloDynamicSliceOptions StablehloPadOptions StablehloIotaOptions
  StablehloDotGeneralOptions StablehloReduceWindowOptions StablehloSortOptions StablehloWhileOptions
  StablehloGatherOptions StablehloTransposeOptions DilateOptions StablehloRngBitGeneratorOptions ReduceWindowOptions
  StableHLOCompositeOptions StablehloShiftLeftOptions StablehloCaseOptions`;

// Tables: fields in the order of their slots, name:type=default. A union takes two slots, its type first.
// Members of unions that are not listed have no fields.
const TABLES = `
CustomQuantization custom:[ubyte]
BlockwiseQuantization scales:int zeroPoints:int blockSize:int
MultiAxisQuantization scales:int zeroPoints:int blockSize:int quantizedDimensions:[int]
QuantizationParameters min:[float] max:[float] scale:[float] zeroPoint:[long] details:QuantizationDetails
  quantizedDimension:int
Int32Vector values:[int]
Uint16Vector values:[ushort]
Uint8Vector values:[ubyte]
DimensionMetadata format:DimensionType denseSize:int arraySegments:SparseIndexVector arrayIndices:SparseIndexVector
SparsityParameters traversalOrder:[int] blockMap:[int] dimMetadata:[DimensionMetadata]
VariantSubType shape:[int] type:TensorType hasRank:bool
Tensor shape:[int] type:TensorType buffer:uint name:string quantization:QuantizationParameters isVariable:bool
  sparsity:SparsityParameters shapeSignature:[int] hasRank:bool variantTensors:[VariantSubType] externalBuffer:uint
StablehloGatherOptions offsetDims:[long] collapsedSliceDims:[long] startIndexMap:[long] indexVectorDim:long
  sliceSizes:[long] indicesAreSorted:bool
StablehloTransposeOptions permutation:[long]
StablehloDotGeneralOptions lhsBatchingDimensions:[long] rhsBatchingDimensions:[long] lhsContractingDimensions:[long]
  rhsContractingDimensions:[long] precisionConfig:[StablehloPrecisionConfig]
StablehloReduceWindowOptions windowDimensions:[long] windowStrides:[long] baseDilations:[long] windowDilations:[long]
  padding:[long] bodySubgraphIndex:int
StablehloWhileOptions condSubgraphIndex:int bodySubgraphIndex:int
StablehloSortOptions dimension:long isStable:bool comparatorSubgraphIndex:int
StablehloConcatenateOptions dimension:long
StablehloBroadcastInDimOptions broadcastDimensions:[long]
StablehloCompareOptions comparisonDirection:StablehloComparisonDirection compareType:StablehloComparisonType
StablehloDynamicSliceOptions sliceSizes:[long]
StablehloPadOptions edgePaddingLow:[long] edgePaddingHigh:[long] interiorPadding:[long]
StablehloIotaOptions iotaDimension:long
StablehloCustomCallOptions callTargetName:string hasSideEffect:bool backendConfig:string apiVersion:int
  calledComputations:[int] customAttributes:[ubyte]
StablehloReduceOptions dimensions:[long] bodySubgraphIndex:int
StablehloSliceOptions startIndices:[long] limitIndices:[long] strides:[long]
StablehloConvolutionOptions windowStrides:[long] padding:[long] lhsDilation:[long] rhsDilation:[long]
  windowReversal:[bool] inputBatchDimension:long inputFeatureDimension:long inputSpatialDimensions:[long]
  kernelInputFeatureDimension:long kernelOutputFeatureDimension:long kernelSpatialDimensions:[long]
  outputBatchDimension:long outputFeatureDimension:long outputSpatialDimensions:[long] featureGroupCount:long
  batchGroupCount:long precisionConfig:[StablehloPrecisionConfig]
StablehloScatterOptions indicesAreSorted:bool updateWindowDims:[long] insertedWindowDims:[long]
  scatterDimsToOperandDims:[long] indexVectorDim:long uniqueIndices:bool updateComputationSubgraphIndex:int
StablehloCaseOptions branchSubgraphIndices:[int]
StablehloRngBitGeneratorOptions algorithm:RngAlgorithm
Conv2DOptions padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  dilationWFactor:int=1 dilationHFactor:int=1 quantizedBiasType:TensorType
Conv3DOptions padding:Padding strideD:int strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  dilationDFactor:int=1 dilationWFactor:int=1 dilationHFactor:int=1
Pool2DOptions padding:Padding strideW:int strideH:int filterWidth:int filterHeight:int
  fusedActivationFunction:ActivationFunctionType
DepthwiseConv2DOptions padding:Padding strideW:int strideH:int depthMultiplier:int
  fusedActivationFunction:ActivationFunctionType dilationWFactor:int=1 dilationHFactor:int=1
ConcatEmbeddingsOptions numChannels:int numColumnsPerChannel:[int] embeddingDimPerChannel:[int]
LSHProjectionOptions type:LSHProjectionType
SVDFOptions rank:int fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
RNNOptions fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
SequenceRNNOptions timeMajor:bool fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
BidirectionalSequenceRNNOptions timeMajor:bool fusedActivationFunction:ActivationFunctionType mergeOutputs:bool
  asymmetricQuantizeInputs:bool
FullyConnectedOptions fusedActivationFunction:ActivationFunctionType weightsFormat:FullyConnectedOptionsWeightsFormat
  keepNumDims:bool asymmetricQuantizeInputs:bool quantizedBiasType:TensorType
SoftmaxOptions beta:float
ConcatenationOptions axis:int fusedActivationFunction:ActivationFunctionType
AddOptions fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true
MulOptions fusedActivationFunction:ActivationFunctionType
L2NormOptions fusedActivationFunction:ActivationFunctionType
LocalResponseNormalizationOptions radius:int bias:float alpha:float beta:float
LSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float kernelType:LSTMKernelType
  asymmetricQuantizeInputs:bool
UnidirectionalSequenceLSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
  timeMajor:bool asymmetricQuantizeInputs:bool diagonalRecurrentTensors:bool
BidirectionalSequenceLSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
  mergeOutputs:bool timeMajor:bool=true asymmetricQuantizeInputs:bool
ResizeBilinearOptions newHeight:int newWidth:int alignCorners:bool halfPixelCenters:bool
ResizeNearestNeighborOptions alignCorners:bool halfPixelCenters:bool
CallOptions subgraph:uint
ReshapeOptions newShape:[int]
SkipGramOptions ngramSize:int maxSkipSize:int includeAllNgrams:bool
SpaceToDepthOptions blockSize:int
DepthToSpaceOptions blockSize:int
SubOptions fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true
DivOptions fusedActivationFunction:ActivationFunctionType
EmbeddingLookupSparseOptions combiner:CombinerType
GatherOptions axis:int batchDims:int
ReducerOptions keepDims:bool
SqueezeOptions squeezeDims:[int]
SplitOptions numSplits:int
SplitVOptions numSplits:int
StridedSliceOptions beginMask:int endMask:int ellipsisMask:int newAxisMask:int shrinkAxisMask:int offset:bool
CastOptions inDataType:TensorType outDataType:TensorType
ArgMaxOptions outputType:TensorType
ArgMinOptions outputType:TensorType
TransposeConvOptions padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  quantizedBiasType:TensorType
SparseToDenseOptions validateIndices:bool
ShapeOptions outType:TensorType
FakeQuantOptions min:float max:float numBits:int narrowRange:bool
PackOptions valuesCount:int axis:int
OneHotOptions axis:int
UnpackOptions num:int axis:int
LeakyReluOptions alpha:float
MirrorPadOptions mode:MirrorPadMode
UniqueOptions idxOutType:TensorType=INT32
ReverseSequenceOptions seqDim:int batchDim:int
IfOptions thenSubgraphIndex:int elseSubgraphIndex:int
CallOnceOptions initSubgraphIndex:int
WhileOptions condSubgraphIndex:int bodySubgraphIndex:int
BatchMatMulOptions adjX:bool adjY:bool asymmetricQuantizeInputs:bool
CumsumOptions exclusive:bool reverse:bool
HashtableOptions tableId:int keyDtype:TensorType valueDtype:TensorType
VarHandleOptions container:string sharedName:string
RandomOptions seed:long seed2:long
BucketizeOptions boundaries:[float]
GeluOptions approximate:bool
ReduceWindowOptions reduceFunction:ReduceWindowFunction
OperatorCode deprecatedBuiltinCode:byte customCode:string version:int=1 builtinCode:BuiltinOperator
StableHLOCompositeOptions name:string decompositionSubgraphIndex:int compositeAttributes:[ubyte]
  compositeAttributesFormat:CustomOptionsFormat version:int
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

const schema = parseSchema(ENUMS, UNIONS, TABLES);

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

const emptyRows = new Map([...tables.values()].map((table) => [table, withoutFields(table)]));

/** What a table holds of which the file gives no field: the schema's defaults. */
export function emptyRow(table: Table): Readonly<Record<string, number | boolean | string | undefined>> {
  return emptyRows.get(table)!;
}

function withoutFields(table: Table): Record<string, number | boolean | string | undefined> {
  const row: Record<string, number | boolean | string | undefined> = {};
  for (const field of table.fields) {
    if (field.kind === 'union') row[field.typeName] = 'NONE';
    row[field.name] = field.kind === 'scalar' && !field.vector ? field.fallback : undefined;
  }
  return row;
}

/** Names of builtin operators; the position is the code. */
export const builtinOperators: readonly string[] = enums.get('BuiltinOperator')!.names;

// Operators whose options table is not their own name in camel case.
const SHARED_OPTIONS = `
Pool2DOptions AVERAGE_POOL_2D MAX_POOL_2D L2_POOL_2D
L2NormOptions L2_NORMALIZATION
ReducerOptions MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL
SequenceRNNOptions UNIDIRECTIONAL_SEQUENCE_RNN
MaximumMinimumOptions MAXIMUM MINIMUM
RandomOptions RANDOM_STANDARD_NORMAL RANDOM_UNIFORM MULTINOMIAL
Conv3DOptions CONV_3D_TRANSPOSE`;

const optionsByOperator = operatorOptions();

/** The options table of a builtin operator; `undefined` where it has none. */
export function optionsTableOf(operator: string): Table | undefined {
  return optionsByOperator.get(operator);
}

function operatorOptions(): ReadonlyMap<string, Table> {
  const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
  const members = ['BuiltinOptions', 'BuiltinOptions2'].flatMap((name) => unions.get(name)!.names.slice(1));
  const byPlainName = new Map(members.map((name) => [plain(name), tableOf(name)]));
  const result = new Map<string, Table>();
  for (const operator of builtinOperators) {
    const table = byPlainName.get(`${plain(operator)}options`);
    if (table) result.set(operator, table);
  }
  for (const line of SHARED_OPTIONS.trim().split('\n')) {
    const [name, ...operators] = line.split(' ');
    for (const operator of operators) result.set(operator, tableOf(name!));
  }
  return result;
}
