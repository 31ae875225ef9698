import { builtinOperators, operators } from './operators.js';
import { type Enumeration, parseSchema, type Table } from './schema-notation.js';

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

// Unions: their members 1, 2, … are tables; 0 is NONE.
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
Conv2DOptions padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  dilationWFactor:int=1 dilationHFactor:int=1 quantizedBiasType:TensorType
DepthwiseConv2DOptions padding:Padding strideW:int strideH:int depthMultiplier:int
  fusedActivationFunction:ActivationFunctionType dilationWFactor:int=1 dilationHFactor:int=1
ConcatEmbeddingsOptions numChannels:int numColumnsPerChannel:[int] embeddingDimPerChannel:[int]
LSHProjectionOptions type:LSHProjectionType
Pool2DOptions padding:Padding strideW:int strideH:int filterWidth:int filterHeight:int
  fusedActivationFunction:ActivationFunctionType
SVDFOptions rank:int fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
RNNOptions fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
FullyConnectedOptions fusedActivationFunction:ActivationFunctionType weightsFormat:FullyConnectedOptionsWeightsFormat
  keepNumDims:bool asymmetricQuantizeInputs:bool quantizedBiasType:TensorType
SoftmaxOptions beta:float
ConcatenationOptions axis:int fusedActivationFunction:ActivationFunctionType
AddOptions fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true
L2NormOptions fusedActivationFunction:ActivationFunctionType
LocalResponseNormalizationOptions radius:int bias:float alpha:float beta:float
LSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float kernelType:LSTMKernelType
  asymmetricQuantizeInputs:bool
ResizeBilinearOptions newHeight:int newWidth:int alignCorners:bool halfPixelCenters:bool
CallOptions subgraph:uint
ReshapeOptions newShape:[int]
SkipGramOptions ngramSize:int maxSkipSize:int includeAllNgrams:bool
SpaceToDepthOptions blockSize:int
EmbeddingLookupSparseOptions combiner:CombinerType
MulOptions fusedActivationFunction:ActivationFunctionType
PadOptions
GatherOptions axis:int batchDims:int
BatchToSpaceNDOptions
SpaceToBatchNDOptions
TransposeOptions
ReducerOptions keepDims:bool
SubOptions fusedActivationFunction:ActivationFunctionType potScaleInt16:bool=true
DivOptions fusedActivationFunction:ActivationFunctionType
SqueezeOptions squeezeDims:[int]
SequenceRNNOptions timeMajor:bool fusedActivationFunction:ActivationFunctionType asymmetricQuantizeInputs:bool
StridedSliceOptions beginMask:int endMask:int ellipsisMask:int newAxisMask:int shrinkAxisMask:int offset:bool
ExpOptions
TopKV2Options
SplitOptions numSplits:int
LogSoftmaxOptions
CastOptions inDataType:TensorType outDataType:TensorType
DequantizeOptions
MaximumMinimumOptions
ArgMaxOptions outputType:TensorType
LessOptions
NegOptions
PadV2Options
GreaterOptions
GreaterEqualOptions
LessEqualOptions
SelectOptions
SliceOptions
TransposeConvOptions padding:Padding strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  quantizedBiasType:TensorType
SparseToDenseOptions validateIndices:bool
TileOptions
ExpandDimsOptions
EqualOptions
NotEqualOptions
ShapeOptions outType:TensorType
PowOptions
ArgMinOptions outputType:TensorType
FakeQuantOptions min:float max:float numBits:int narrowRange:bool
PackOptions valuesCount:int axis:int
LogicalOrOptions
OneHotOptions axis:int
LogicalAndOptions
LogicalNotOptions
UnpackOptions num:int axis:int
FloorDivOptions
SquareOptions
ZerosLikeOptions
FillOptions
BidirectionalSequenceLSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
  mergeOutputs:bool timeMajor:bool=true asymmetricQuantizeInputs:bool
BidirectionalSequenceRNNOptions timeMajor:bool fusedActivationFunction:ActivationFunctionType mergeOutputs:bool
  asymmetricQuantizeInputs:bool
UnidirectionalSequenceLSTMOptions fusedActivationFunction:ActivationFunctionType cellClip:float projClip:float
  timeMajor:bool asymmetricQuantizeInputs:bool diagonalRecurrentTensors:bool
FloorModOptions
RangeOptions
ResizeNearestNeighborOptions alignCorners:bool halfPixelCenters:bool
LeakyReluOptions alpha:float
SquaredDifferenceOptions
MirrorPadOptions mode:MirrorPadMode
AbsOptions
SplitVOptions numSplits:int
UniqueOptions idxOutType:TensorType=INT32
ReverseV2Options
AddNOptions
GatherNdOptions
CosOptions
WhereOptions
RankOptions
ReverseSequenceOptions seqDim:int batchDim:int
MatrixDiagOptions
QuantizeOptions
MatrixSetDiagOptions
HardSwishOptions
IfOptions thenSubgraphIndex:int elseSubgraphIndex:int
WhileOptions condSubgraphIndex:int bodySubgraphIndex:int
DepthToSpaceOptions blockSize:int
NonMaxSuppressionV4Options
NonMaxSuppressionV5Options
ScatterNdOptions
SelectV2Options
DensifyOptions
SegmentSumOptions
BatchMatMulOptions adjX:bool adjY:bool asymmetricQuantizeInputs:bool
CumsumOptions exclusive:bool reverse:bool
CallOnceOptions initSubgraphIndex:int
BroadcastToOptions
Rfft2dOptions
Conv3DOptions padding:Padding strideD:int strideW:int strideH:int fusedActivationFunction:ActivationFunctionType
  dilationDFactor:int=1 dilationWFactor:int=1 dilationHFactor:int=1
HashtableOptions tableId:int keyDtype:TensorType valueDtype:TensorType
HashtableFindOptions
HashtableImportOptions
HashtableSizeOptions
VarHandleOptions container:string sharedName:string
ReadVariableOptions
AssignVariableOptions
RandomOptions seed:long seed2:long
BucketizeOptions boundaries:[float]
GeluOptions approximate:bool
DynamicUpdateSliceOptions
UnsortedSegmentProdOptions
UnsortedSegmentMaxOptions
UnsortedSegmentMinOptions
UnsortedSegmentSumOptions
ATan2Options
SignOptions
BitcastOptions
BitwiseXorOptions
RightShiftOptions`,
  BuiltinOptions2: `
StablehloConcatenateOptions dimension:long
StablehloBroadcastInDimOptions broadcastDimensions:[long]
StablehloSliceOptions startIndices:[long] limitIndices:[long] strides:[long]
StablehloConvolutionOptions windowStrides:[long] padding:[long] lhsDilation:[long] rhsDilation:[long]
  windowReversal:[bool] inputBatchDimension:long inputFeatureDimension:long inputSpatialDimensions:[long]
  kernelInputFeatureDimension:long kernelOutputFeatureDimension:long kernelSpatialDimensions:[long]
  outputBatchDimension:long outputFeatureDimension:long outputSpatialDimensions:[long] featureGroupCount:long
  batchGroupCount:long precisionConfig:[StablehloPrecisionConfig]
StablehloCustomCallOptions callTargetName:string hasSideEffect:bool backendConfig:string apiVersion:int
  calledComputations:[int] customAttributes:[ubyte]
StablehloReduceOptions dimensions:[long] bodySubgraphIndex:int
StablehloScatterOptions indicesAreSorted:bool updateWindowDims:[long] insertedWindowDims:[long]
  scatterDimsToOperandDims:[long] indexVectorDim:long uniqueIndices:bool updateComputationSubgraphIndex:int
StablehloCompareOptions comparisonDirection:StablehloComparisonDirection compareType:StablehloComparisonType
StablehloDynamicSliceOptions sliceSizes:[long]
StablehloPadOptions edgePaddingLow:[long] edgePaddingHigh:[long] interiorPadding:[long]
StablehloIotaOptions iotaDimension:long
StablehloDotGeneralOptions lhsBatchingDimensions:[long] rhsBatchingDimensions:[long] lhsContractingDimensions:[long]
  rhsContractingDimensions:[long] precisionConfig:[StablehloPrecisionConfig]
StablehloReduceWindowOptions windowDimensions:[long] windowStrides:[long] baseDilations:[long] windowDilations:[long]
  padding:[long] bodySubgraphIndex:int
StablehloSortOptions dimension:long isStable:bool comparatorSubgraphIndex:int
StablehloWhileOptions condSubgraphIndex:int bodySubgraphIndex:int
StablehloGatherOptions offsetDims:[long] collapsedSliceDims:[long] startIndexMap:[long] indexVectorDim:long
  sliceSizes:[long] indicesAreSorted:bool
StablehloTransposeOptions permutation:[long]
DilateOptions
StablehloRngBitGeneratorOptions algorithm:RngAlgorithm
ReduceWindowOptions reduceFunction:ReduceWindowFunction
StableHLOCompositeOptions name:string decompositionSubgraphIndex:int compositeAttributes:[ubyte]
  compositeAttributesFormat:CustomOptionsFormat version:int
StablehloShiftLeftOptions
StablehloCaseOptions branchSubgraphIndices:[int]`,
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
  return row;
}

const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
const tablesByPlainName = new Map([...tables].map(([name, table]) => [plain(name), table]));

/** The options table of a builtin operator; `undefined` where it has none. */
export function optionsTableOf(operator: string): Table | undefined {
  return tablesByPlainName.get(plain(`${operators.get(operator)?.options ?? operator}Options`));
}
